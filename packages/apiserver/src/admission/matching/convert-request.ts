import type { KubeObject } from '@coxswain/api';
import type { AdmissionRequest } from '@coxswain/sdk';
import type { ResourceRegistry } from '../../registry/resource-registry.js';
import type { ServedResource } from '../../registry/served-resource.js';
import type { Match } from './match-rules.js';

/** The request as somebody sees it who knows another version of the resource. */
export interface ConvertedRequest {
  readonly kind: AdmissionRequest['kind'];
  readonly resource: AdmissionRequest['resource'];
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
  /** Back to the version of the request. */
  readonly back: (object: KubeObject) => Promise<KubeObject>;
}

export async function convertRequest(request: AdmissionRequest, match: Match, registry: ResourceRegistry): Promise<ConvertedRequest> {
  const { group, version, resource } = request.resource;
  const own = match.type === 'equivalent' ? registry.find(group, version, resource) : undefined;
  if (match.type !== 'equivalent' || !own || request.subresource === 'scale') {
    return { kind: request.kind, resource: request.resource, object: request.object, oldObject: request.oldObject, back: async (object) => object };
  }
  const { definition } = match.served;
  const to = async (object: KubeObject | undefined) => (object ? convert(object, own, match.served) : undefined);
  return {
    kind: { group: definition.group, version: definition.version, kind: definition.kind },
    resource: { group: definition.group, version: definition.version, resource: definition.resource },
    object: await to(request.object),
    oldObject: await to(request.oldObject),
    back: (object) => convert(object, match.served, own),
  };
}

/** Through the stored form, which every version can be made from. */
async function convert(object: KubeObject, from: ServedResource, to: ServedResource): Promise<KubeObject> {
  if (from.converter) return from.converter.convert(object, to.codec.apiVersion);
  const stored = from.codec.toStorage(object);
  const shown = to.definition.fromStorage ? to.definition.fromStorage(stored) : stored;
  return { ...shown, apiVersion: to.codec.apiVersion, kind: to.definition.kind };
}

import type { KubeObject } from '@coxswain/api';
import type { AdmissionOperation, AdmissionRequest } from '@coxswain/sdk';
import type { ServedResource } from '../registry/served-resource.js';
import type { RequestContext } from '../request/request-context.js';

export interface AdmissionParts {
  readonly operation: AdmissionOperation;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  readonly object?: KubeObject;
  readonly oldObject?: KubeObject;
  readonly options?: Readonly<Record<string, unknown>>;
  /** The kind of `object` when it is not the resource's (Binding, Eviction, Scale). */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
}

export function admissionRequest(context: RequestContext, served: ServedResource, parts: AdmissionParts): AdmissionRequest {
  const { group, version, kind, resource } = served.definition;
  const { object, oldObject } = parts;
  return {
    uid: context.auditId,
    operation: parts.operation,
    kind: parts.kind ?? { group, version, kind },
    resource: { group, version, resource },
    subresource: parts.subresource,
    namespace: parts.namespace,
    name: parts.name,
    user: context.user,
    dryRun: parts.dryRun,
    ...(object ? { object } : {}),
    ...(oldObject ? { oldObject } : {}),
    options: parts.options ?? {},
    warn: (message) => context.warn(message),
    audit: (key, value) => {
      context.annotations[key] = value;
    },
  };
}

import type { ResourceRegistry } from '../registry/resource-registry.js';
import { readyEndpoints } from '../webhooks/service-address.js';
import type { ApiService } from './remote-api.js';

/** The `Available` condition of an APIService, apart from its time. */
export interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export const failed = (reason: string, message: string): Verdict => ({ status: 'False', reason, message });

/** Why the service of an APIService cannot be asked, in upstream's reasons and words; undefined when it can. */
export function serviceProblem(registry: ResourceRegistry, { spec }: ApiService): Verdict | undefined {
  const { namespace = '', name = '', port = 443 } = spec?.service ?? {};
  const what = `service/${name} in ${JSON.stringify(namespace)}`;
  const service = registry.storage('', 'services').cache.get(namespace, name)?.object;
  if (!service) return failed('ServiceNotFound', `${what} is not present`);
  if ((service.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined;
  const found = ((service.spec?.ports ?? []) as { name?: string; port: number }[]).find((each) => each.port === port);
  if (!found) return failed('ServicePortError', `${what} is not listening on port ${port}`);
  const slices = registry.storage('discovery.k8s.io', 'endpointslices').cache.inNamespace(namespace);
  if (!slices.some(({ object }) => object.metadata.labels?.['kubernetes.io/service-name'] === name))
    return failed('EndpointsNotFound', `cannot find endpointslices for ${what}`);
  if (readyEndpoints(registry, service, found.name ?? '').length === 0)
    return failed('MissingEndpoints', `endpointslices for ${what} have no addresses with port name ${JSON.stringify(found.name ?? '')}`);
  return undefined;
}

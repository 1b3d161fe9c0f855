import type { EndpointAddress, Endpoints, EndpointSubset, KubeObject, Pod, Service } from '@coxswain/api';
import { isNotFound, labelSelectorFromSet, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { isReady } from '../pods/pod-state.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { endpointHostname, isEndpoint, isHeadless, podAddress, serviceFamilies, targetPort } from './pod-endpoints.js';
import { watchServicePods } from './watch-service-pods.js';

export const ENDPOINTS_MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const HEADLESS = 'service.kubernetes.io/headless';
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
const MAX_ADDRESSES = 1000;

type Port = NonNullable<EndpointSubset['ports']>[number];

/** Subsets of addresses that have the same ports, in a stable order. Pure. */
export function endpointSubsets(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const family = serviceFamilies(service)[0] ?? 'IPv4';
  const publishAll = Boolean(service.spec?.publishNotReadyAddresses);
  const subsets = new Map<string, { ports: Port[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }>();
  for (const pod of pods) {
    const ip = podAddress(pod, family);
    if (!ip || !isEndpoint(pod) || (pod.metadata.deletionTimestamp && !publishAll)) continue;
    const ports: Port[] = [];
    for (const p of service.spec?.ports ?? []) {
      const port = targetPort(pod, p);
      if (port !== undefined)
        ports.push({ ...(p.name && { name: p.name }), port, protocol: p.protocol ?? 'TCP', ...(p.appProtocol && { appProtocol: p.appProtocol }) });
    }
    // Only a headless service may do without ports.
    if (ports.length === 0 && ((service.spec?.ports ?? []).length > 0 || !isHeadless(service))) continue;
    const hostname = endpointHostname(pod, service);
    const address: EndpointAddress = {
      ip,
      ...(hostname && { hostname }),
      ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
      targetRef: { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' },
    };
    const key = JSON.stringify(ports);
    let subset = subsets.get(key);
    if (!subset) subsets.set(key, (subset = { ports, ready: [], notReady: [] }));
    (publishAll || isReady(pod) ? subset.ready : subset.notReady).push(address);
  }
  const byIp = (a: EndpointAddress, b: EndpointAddress) =>
    a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : (a.targetRef?.uid ?? '').localeCompare(b.targetRef?.uid ?? '');
  return [...subsets]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, s]) => ({
      ...(s.ready.length > 0 && { addresses: s.ready.sort(byIp) }),
      ...(s.notReady.length > 0 && { notReadyAddresses: s.notReady.sort(byIp) }),
      ...(s.ports.length > 0 && { ports: s.ports }),
    }));
}

/** At most 1,000 addresses, ready ones first. */
function truncated(subsets: readonly EndpointSubset[]): { readonly subsets: EndpointSubset[]; readonly over: boolean } {
  let left = MAX_ADDRESSES;
  const total = subsets.reduce((n, s) => n + (s.addresses?.length ?? 0) + (s.notReadyAddresses?.length ?? 0), 0);
  if (total <= left) return { subsets: [...subsets], over: false };
  const ready = subsets.map((s) => {
    const kept = (s.addresses ?? []).slice(0, left);
    left -= kept.length;
    return kept;
  });
  const cut = subsets.map((s, i) => {
    const notReady = (s.notReadyAddresses ?? []).slice(0, left);
    left -= notReady.length;
    return { ...s, addresses: ready[i] as EndpointAddress[], notReadyAddresses: notReady };
  });
  return { subsets: cut.filter((s) => s.addresses.length + s.notReadyAddresses.length > 0), over: true };
}

/** The Endpoints object of every Service with a selector. */
export function endpointsController({ client, informers, events }: ControllerContext): Controller {
  const services = informers.informer(Resources.services);
  const pods = informers.informer(Resources.pods);
  const endpoints = informers.informer(Resources.endpoints);
  return {
    name: 'endpoints',
    watch(queue) {
      const undo = [
        watchServicePods({ services, pods, queue }),
        endpoints.addHandler({ delete: (e) => queue.add(`${e.metadata.namespace}/${e.metadata.name}`) }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(key, signal) {
      const { namespace, name } = splitKey(key);
      const service = services.lister.get(name, namespace);
      const api = client.api.endpoints(namespace);
      const current = endpoints.lister.get(name, namespace);
      if (!service) {
        if (!current?.metadata.labels?.[ENDPOINTS_MANAGED_BY]) return undefined;
        try {
          await api.delete(name, { signal });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
        return undefined;
      }
      if (service.spec?.type === 'ExternalName' || Object.keys(service.spec?.selector ?? {}).length === 0) return undefined;
      const { subsets, over } = truncated(endpointSubsets(service, pods.lister.list({ namespace, selector: labelSelectorFromSet(service.spec?.selector) })));
      const { [HEADLESS]: _headless, ...serviceLabels } = service.metadata.labels ?? {};
      const labels: Record<string, string> = {
        ...serviceLabels,
        [ENDPOINTS_MANAGED_BY]: 'endpoint-controller',
        ...(isHeadless(service) && { [HEADLESS]: '' }),
      };
      const { [OVER_CAPACITY]: _over, ...kept } = current?.metadata.annotations ?? {};
      const annotations: Record<string, string> = over ? { ...kept, [OVER_CAPACITY]: 'truncated' } : kept;
      if (
        current &&
        semanticEqual(current.subsets, subsets) &&
        semanticEqual(current.metadata.labels, labels) &&
        semanticEqual(current.metadata.annotations, annotations)
      )
        return undefined;
      const object: Endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata: { ...current?.metadata, name, namespace, labels, annotations }, subsets };
      try {
        if (current) await api.update(object, { signal });
        else await api.create(object, { signal });
      } catch (error) {
        events(
          service as KubeObject,
          'Warning',
          current ? 'FailedToUpdateEndpoint' : 'FailedToCreateEndpoint',
          `Failed to ${current ? 'update' : 'create'} endpoint ${key}: ${(error as Error).message}`,
        );
        throw error;
      }
      return undefined;
    },
  };
}

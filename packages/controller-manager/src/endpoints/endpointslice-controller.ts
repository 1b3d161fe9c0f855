import type { Endpoint, EndpointSlice, KubeObject, Node, Pod, Service } from '@coxswain/api';
import { isAlreadyExists, isNotFound, labelSelectorFromSet, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { controllerRef } from '../runtime/owners.js';
import type { DiscoveryEndpointPort } from './endpoint-port.js';
import { planSlices, type PortGroup, type SlicePlan } from './plan-slices.js';
import { endpointConditions, endpointHostname, endpointHints, isEndpoint, isHeadless, podAddress, serviceFamilies, targetPort } from './pod-endpoints.js';
import { watchServicePods } from './watch-service-pods.js';

export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
export const SERVICE_NAME = 'kubernetes.io/service-name';
const HEADLESS = 'service.kubernetes.io/headless';
const CONTROLLER = 'endpointslice-controller.k8s.io';
const SERVICE = { apiVersion: 'v1', kind: 'Service' } as const;
const MAX_ENDPOINTS = 100;

/** The endpoints of one family, grouped by the ports the pods have under the service's names. Pure. */
export function portGroups(service: Service, pods: readonly Pod[], family: 'IPv4' | 'IPv6', nodeOf: (name: string) => Node | undefined): PortGroup[] {
  const groups = new Map<string, { ports: DiscoveryEndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    const ip = isEndpoint(pod) ? podAddress(pod, family) : undefined;
    if (!ip) continue;
    const ports: DiscoveryEndpointPort[] = [];
    for (const p of service.spec?.ports ?? []) {
      const port = targetPort(pod, p);
      if (port !== undefined)
        ports.push({ name: p.name ?? '', port, protocol: p.protocol ?? 'TCP', ...(p.appProtocol !== undefined && { appProtocol: p.appProtocol }) });
    }
    const nodeName = pod.spec?.nodeName;
    const zone = nodeName ? nodeOf(nodeName)?.metadata.labels?.['topology.kubernetes.io/zone'] : undefined;
    const hostname = endpointHostname(pod, service);
    const conditions = endpointConditions(pod, service);
    const hints = conditions.ready ? endpointHints(service.spec?.trafficDistribution, nodeName, zone) : undefined;
    const endpoint: Endpoint = {
      addresses: [ip],
      conditions,
      targetRef: { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' },
      ...(nodeName && { nodeName }),
      ...(zone && { zone }),
      ...(hostname && { hostname }),
      ...(hints && { hints }),
    };
    const key = JSON.stringify(ports);
    const group = groups.get(key);
    if (group) group.endpoints.push(endpoint);
    else groups.set(key, { ports, endpoints: [endpoint] });
  }
  return [...groups.values()];
}

/** Labels of the service that its slices carry too, and the controller's own. */
function sliceLabels(service: Service): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [k, v] of Object.entries(service.metadata.labels ?? {})) if (k !== HEADLESS && k !== MANAGED_BY && k !== SERVICE_NAME) labels[k] = v;
  labels[SERVICE_NAME] = service.metadata.name ?? '';
  labels[MANAGED_BY] = CONTROLLER;
  if (isHeadless(service)) labels[HEADLESS] = '';
  return labels;
}

/** EndpointSlices of Services with a selector: who answers, on which port, in which state. */
export function endpointSliceController({ client, informers }: ControllerContext): Controller {
  const services = informers.informer(Resources.services);
  const pods = informers.informer(Resources.pods);
  const nodes = informers.informer(Resources.nodes);
  const slices = informers.informer(Resources.endpointSlices);
  slices.addIndex('service', (s) => [`${s.metadata.namespace}/${s.metadata.labels?.[SERVICE_NAME] ?? ''}`]);
  const ours = (s: EndpointSlice) => s.metadata.labels?.[MANAGED_BY] === CONTROLLER;

  async function carryOut(namespace: string, plan: SlicePlan, signal: AbortSignal): Promise<void> {
    const api = client.api.endpointSlices(namespace);
    for (const slice of plan.create) await api.create(slice, { signal });
    for (const slice of plan.update) await api.update(slice, { signal });
    for (const slice of plan.remove) {
      try {
        await api.delete(slice.metadata.name ?? '', { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  }

  /** A slice just made is not in the cache yet: acting before it is would make another. */
  const pending = new Map<string, Map<string, string>>();
  const stale = (key: string, existing: readonly EndpointSlice[]): boolean => {
    const waiting = pending.get(key);
    if (!waiting) return false;
    for (const s of existing) if (s.metadata.uid) waiting.delete(s.metadata.uid);
    if (waiting.size === 0) pending.delete(key);
    return waiting.size > 0;
  };

  return {
    name: 'endpointslice',
    watch(queue) {
      const undo = [
        watchServicePods({ services, pods, queue }),
        slices.addHandler({
          add: (s) => ours(s) && queue.add(`${s.metadata.namespace}/${s.metadata.labels?.[SERVICE_NAME] ?? ''}`),
          update: (_o, s) => ours(s) && queue.add(`${s.metadata.namespace}/${s.metadata.labels?.[SERVICE_NAME] ?? ''}`),
          delete: (s) => {
            if (!ours(s)) return;
            const key = `${s.metadata.namespace}/${s.metadata.labels?.[SERVICE_NAME] ?? ''}`;
            pending.get(key)?.delete(s.metadata.uid ?? '');
            queue.add(key);
          },
        }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(key, signal) {
      const { namespace, name } = splitKey(key);
      const service = services.lister.get(name, namespace);
      const existing = slices.lister.byIndex('service', key).filter(ours);
      if (!service) {
        pending.delete(key);
        await carryOut(namespace, { create: [], update: [], remove: existing }, signal);
        return undefined;
      }
      // ExternalName services and those without a selector are somebody else's.
      if (service.spec?.type === 'ExternalName' || Object.keys(service.spec?.selector ?? {}).length === 0) return undefined;
      if (service.metadata.deletionTimestamp) return undefined;
      if (stale(key, existing)) return { requeueAfterMs: 1000 };
      const matching = pods.lister.list({ namespace, selector: labelSelectorFromSet(service.spec?.selector) });
      const labels = sliceLabels(service);
      const families = serviceFamilies(service);
      const owner = controllerRef(service as KubeObject, SERVICE);
      for (const family of families) {
        const groups = portGroups(service, matching, family, (n) => nodes.lister.get(n));
        const make = (): EndpointSlice => ({
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: { generateName: `${name}-`, namespace, labels: { ...labels }, ownerReferences: [owner] },
          addressType: family,
          endpoints: [],
        });
        const plan = planSlices(
          existing.filter((s) => s.addressType === family && !s.metadata.deletionTimestamp),
          groups,
          {
            addressType: family,
            maxEndpoints: MAX_ENDPOINTS,
            make,
            metadataFits: (s) => semanticEqual(s.metadata.labels, labels) && s.metadata.ownerReferences?.[0]?.uid === owner.uid,
          },
        );
        for (const slice of plan.create) {
          try {
            const made = await client.api.endpointSlices(namespace).create(slice, { signal });
            if (!slices.lister.get(made.metadata.name ?? '', namespace)) {
              const waiting = pending.get(key) ?? new Map<string, string>();
              waiting.set(made.metadata.uid ?? '', made.metadata.name ?? '');
              pending.set(key, waiting);
            }
          } catch (error) {
            if (!isAlreadyExists(error)) throw error;
          }
        }
        await carryOut(namespace, { ...plan, create: [] }, signal);
      }
      await carryOut(namespace, { create: [], update: [], remove: existing.filter((s) => !families.includes(s.addressType as 'IPv4')) }, signal);
      return undefined;
    },
  };
}

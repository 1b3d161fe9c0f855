import type { Endpoint, EndpointAddress, Endpoints, EndpointSlice, KubeObject } from '@coxswain/api';
import { isNotFound, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { controllerRef } from '../runtime/owners.js';
import { MANAGED_BY, SERVICE_NAME } from './endpointslice-controller.js';
import { planSlices, type PortGroup } from './plan-slices.js';
import { familyOf } from './pod-endpoints.js';

const CONTROLLER = 'endpointslicemirroring-controller.k8s.io';
const SKIP = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
const MAX_PER_SUBSET = 1000;

function groups(endpoints: Endpoints, family: 'IPv4' | 'IPv6'): PortGroup[] {
  return (endpoints.subsets ?? []).map((s) => {
    const one = (a: EndpointAddress, ready: boolean): Endpoint => ({
      addresses: [a.ip],
      conditions: { ready },
      ...(a.hostname && { hostname: a.hostname }),
      ...(a.nodeName && { nodeName: a.nodeName }),
      ...(a.targetRef && { targetRef: a.targetRef }),
    });
    const all = [...(s.addresses ?? []).map((a) => one(a, true)), ...(s.notReadyAddresses ?? []).map((a) => one(a, false))];
    return {
      ports: (s.ports ?? []).map((p) => ({
        name: p.name ?? '',
        port: p.port,
        protocol: p.protocol ?? 'TCP',
        ...(p.appProtocol && { appProtocol: p.appProtocol }),
      })),
      endpoints: all.filter((e) => familyOf(e.addresses[0] ?? '') === family).slice(0, MAX_PER_SUBSET),
    };
  });
}

const OWN_ANNOTATIONS = ['endpoints.kubernetes.io/last-change-trigger-time', 'kubectl.kubernetes.io/last-applied-configuration'];

/** Endpoints that somebody wrote by hand, for a Service without a selector, as EndpointSlices. */
export function endpointSliceMirroringController({ client, informers }: ControllerContext): Controller {
  const endpoints = informers.informer(Resources.endpoints);
  const services = informers.informer(Resources.services);
  const slices = informers.informer(Resources.endpointSlices);
  slices.addIndex('service', (s) => [`${s.metadata.namespace}/${s.metadata.labels?.[SERVICE_NAME] ?? ''}`]);
  const ours = (s: EndpointSlice) => s.metadata.labels?.[MANAGED_BY] === CONTROLLER;
  const mirrored = (e: Endpoints | undefined): e is Endpoints =>
    e !== undefined && e.metadata.labels?.[SKIP] !== 'true' && e.metadata.annotations?.[LEADER] === undefined;
  return {
    name: 'endpointslicemirroring',
    watch(queue) {
      const add = (o: { metadata: { namespace?: string; name?: string } }) => queue.add(`${o.metadata.namespace}/${o.metadata.name}`);
      const undo = [
        endpoints.addHandler({ add, update: (_o, e) => add(e), delete: add }),
        services.addHandler({ add, update: (_o, s) => add(s), delete: add }),
        slices.addHandler({ delete: (s) => ours(s) && queue.add(`${s.metadata.namespace}/${s.metadata.labels?.[SERVICE_NAME] ?? ''}`) }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(key, signal) {
      const { namespace, name } = splitKey(key);
      const source = endpoints.lister.get(name, namespace);
      const service = services.lister.get(name, namespace);
      const existing = slices.lister.byIndex('service', key).filter(ours);
      const api = client.api.endpointSlices(namespace);
      const wanted = mirrored(source) && service !== undefined && Object.keys(service.spec?.selector ?? {}).length === 0;
      for (const family of ['IPv4', 'IPv6'] as const) {
        const mine = existing.filter((s) => s.addressType === family);
        const filled = wanted ? groups(source, family).filter((g) => g.endpoints.length > 0) : [];
        if (filled.length === 0) {
          for (const s of mine) await api.delete(s.metadata.name ?? '', { signal }).catch(ignoreNotFound);
          continue;
        }
        const labels = { ...source?.metadata.labels, [SERVICE_NAME]: name, [MANAGED_BY]: CONTROLLER };
        const annotations = mirroredAnnotations(source?.metadata.annotations);
        const owner = controllerRef(source as KubeObject, { apiVersion: 'v1', kind: 'Endpoints' });
        const plan = planSlices(mine, filled, {
          addressType: family,
          maxEndpoints: 100,
          make: () => ({
            apiVersion: 'discovery.k8s.io/v1',
            kind: 'EndpointSlice',
            metadata: { generateName: `${name}-`, namespace, labels, annotations, ownerReferences: [owner] },
            addressType: family,
            endpoints: [],
          }),
          metadataFits: (s) => semanticEqual(s.metadata.labels, labels) && semanticEqual(s.metadata.annotations, annotations),
        });
        for (const s of plan.create) await api.create(s, { signal });
        // What the Endpoints no longer has goes from its mirror too.
        for (const s of plan.update) await api.update({ ...s, metadata: { ...s.metadata, annotations } }, { signal });
        for (const s of plan.remove) await api.delete(s.metadata.name ?? '', { signal }).catch(ignoreNotFound);
      }
      return undefined;
    },
  };
}

/** All but what tells of the Endpoints object itself. */
export function mirroredAnnotations(of: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(of).filter(([key]) => !OWN_ANNOTATIONS.includes(key)));
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}

import type { Endpoint, EndpointSlice } from '@coxswain/api';
import type { DiscoveryEndpointPort } from './endpoint-port.js';
import { semanticEqual } from '@coxswain/apimachinery';

/** Endpoints that share their ports: they may share slices. */
export interface PortGroup {
  readonly ports: readonly DiscoveryEndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

export interface SliceTemplate {
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN';
  readonly maxEndpoints: number;
  /** A slice without endpoints and ports. */
  readonly make: () => EndpointSlice;
  /** Whether labels and owner of an existing slice are as they should be. */
  readonly metadataFits: (slice: EndpointSlice) => boolean;
}

export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

const idOf = (e: Endpoint): string => e.targetRef?.uid ?? e.addresses.join(',');
const portsKey = (ports: readonly DiscoveryEndpointPort[] | undefined): string =>
  JSON.stringify((ports ?? []).map((p) => [p.name ?? '', p.protocol ?? 'TCP', p.port ?? 0, p.appProtocol ?? '']).sort());

/**
 * How the slices of one address type have to change. Endpoints stay in the slice they are in; what is new fills slices that
 * change anyway, then others with room, then new ones: few slices are written, because every write goes to every node.
 */
export function planSlices(existing: readonly EndpointSlice[], groups: readonly PortGroup[], t: SliceTemplate): SlicePlan {
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  const remove: EndpointSlice[] = [];
  const byKey = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const key = portsKey(slice.ports);
    const list = byKey.get(key);
    if (list) list.push(slice);
    else byKey.set(key, [slice]);
  }
  const filled = groups.filter((g) => g.endpoints.length > 0);
  for (const group of filled) {
    const key = portsKey(group.ports);
    const slices = byKey.get(key) ?? [];
    byKey.delete(key);
    const wanted = new Map(group.endpoints.map((e) => [idOf(e), e]));
    const kept = slices.map((slice) => {
      let changed = !t.metadataFits(slice);
      const endpoints: Endpoint[] = [];
      for (const e of slice.endpoints ?? []) {
        const now = wanted.get(idOf(e));
        if (!now) changed = true;
        else {
          wanted.delete(idOf(e));
          if (!semanticEqual(now, e)) changed = true;
          endpoints.push(now);
        }
      }
      return { slice, endpoints, changed };
    });
    const fresh = [...wanted.values()];
    // Fullest first among those with room, so that slices get full; those to be written anyway before all.
    const roomy = kept
      .filter((k) => k.endpoints.length < t.maxEndpoints)
      .sort((a, b) => Number(b.changed) - Number(a.changed) || b.endpoints.length - a.endpoints.length);
    for (const k of roomy) {
      if (fresh.length === 0) break;
      k.endpoints.push(...fresh.splice(0, t.maxEndpoints - k.endpoints.length));
      k.changed = true;
    }
    for (const { slice, endpoints, changed } of kept) {
      if (endpoints.length === 0) remove.push(slice);
      else if (changed) update.push({ ...slice, metadata: { ...slice.metadata, ...metadataOf(t.make(), slice) }, endpoints });
    }
    while (fresh.length > 0) create.push({ ...t.make(), ports: [...group.ports], endpoints: fresh.splice(0, t.maxEndpoints) });
  }
  const rest = [...byKey.values()].flat();
  if (filled.length > 0) return { create, update, remove: [...remove, ...rest] };
  // Without endpoints one empty slice stays: it says that the controller has been here.
  const [placeholder, ...more] = rest;
  if (!placeholder) return { create: [{ ...t.make(), ports: [], endpoints: [] }], update, remove };
  const fits = (placeholder.endpoints ?? []).length === 0 && (placeholder.ports ?? []).length === 0 && t.metadataFits(placeholder);
  if (fits) return { create, update, remove: more };
  return {
    create,
    update: [{ ...placeholder, metadata: { ...placeholder.metadata, ...metadataOf(t.make(), placeholder) }, ports: [], endpoints: [] }],
    remove: more,
  };
}

function metadataOf(template: EndpointSlice, slice: EndpointSlice): EndpointSlice['metadata'] {
  return {
    labels: { ...template.metadata.labels },
    annotations: { ...slice.metadata.annotations, ...template.metadata.annotations },
    ownerReferences: template.metadata.ownerReferences ?? [],
  };
}

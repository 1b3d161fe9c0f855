import type { DiscoveryEndpointPort, Endpoint, Endpoints } from '../generated/types.js';
import { listWithMore } from './column.js';

const SHOWN = 3;

/** The ENDPOINTS cell of core Endpoints. */
export function endpointAddresses({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return '<none>';
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`))),
  );
  return listWithMore(all, SHOWN);
}

/** The PORTS cell of an EndpointSlice. */
export function slicePorts(ports: readonly DiscoveryEndpointPort[] | undefined): string {
  return (
    listWithMore(
      (ports ?? []).map(({ port, name }) => (port === undefined ? name || '*' : String(port))),
      SHOWN,
    ) || '<unset>'
  );
}

/** The ENDPOINTS cell of an EndpointSlice. */
export function sliceEndpoints(endpoints: readonly Endpoint[] | undefined): string {
  return (
    listWithMore(
      (endpoints ?? []).flatMap(({ addresses }) => addresses),
      SHOWN,
    ) || '<unset>'
  );
}

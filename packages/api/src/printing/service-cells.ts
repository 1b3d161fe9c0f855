import type { Service } from '../generated/types.js';

/** The EXTERNAL-IP cell. */
export function externalIPs({ spec, status }: Service): string {
  const own = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case 'ExternalName':
      return spec.externalName ?? '';
    case 'LoadBalancer': {
      const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '');
      const all = [...[...new Set(ingress)].filter(Boolean).sort(), ...own];
      return all.length > 0 ? all.join(',') : '<pending>';
    }
    case 'ClusterIP':
    case 'NodePort':
      return own.length > 0 ? own.join(',') : '<none>';
    default:
      return '<unknown>';
  }
}

/** The PORT(S) cell: `80/TCP,443:30443/TCP`. */
export function servicePorts({ spec }: Service): string {
  const ports = (spec?.ports ?? []).map(({ port, nodePort, protocol }) => (nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`));
  return ports.length > 0 ? ports.join(',') : '<none>';
}

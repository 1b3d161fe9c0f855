import type { Service } from '@coxswain/api';

const upper = (name: string) => name.toUpperCase().replace(/-/g, '_');

/** Docker-link style variables of services (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables). */
export function serviceEnv(services: readonly Service[]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const service of services) {
    const { clusterIP: ip, ports = [] } = service.spec ?? {};
    if (!ip || ip === 'None' || !service.metadata?.name || ports.length === 0) continue;
    const prefix = upper(service.metadata.name);
    const host = ip.includes(':') ? `[${ip}]` : ip;
    const url = (p: (typeof ports)[number]) => `${(p.protocol ?? 'TCP').toLowerCase()}://${host}:${p.port}`;
    out[`${prefix}_SERVICE_HOST`] = ip;
    out[`${prefix}_SERVICE_PORT`] = String(ports[0]?.port);
    for (const p of ports) if (p.name) out[`${prefix}_SERVICE_PORT_${upper(p.name)}`] = String(p.port);
    out[`${prefix}_PORT`] = url(ports[0] as (typeof ports)[number]);
    for (const p of ports) {
      const protocol = p.protocol ?? 'TCP';
      const key = `${prefix}_PORT_${p.port}_${protocol}`;
      out[key] = url(p);
      out[`${key}_PROTO`] = protocol.toLowerCase();
      out[`${key}_PORT`] = String(p.port);
      out[`${key}_ADDR`] = ip;
    }
  }
  return out;
}

/** Services a pod in `namespace` learns of: its namespace's own with service links, and the API server's always. */
export function linkedServices(all: readonly Service[], namespace: string, links: boolean): Service[] {
  const master = all.filter((s) => s.metadata?.namespace === 'default' && s.metadata.name === 'kubernetes');
  const own = links ? all.filter((s) => s.metadata?.namespace === namespace && !(namespace === 'default' && s.metadata.name === 'kubernetes')) : [];
  return [...master, ...own];
}

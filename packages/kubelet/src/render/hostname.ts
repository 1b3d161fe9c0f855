import type { Pod } from '@coxswain/api';

export interface PodHostname {
  readonly hostname: string;
  /** The pod's DNS domain, when it has a subdomain. */
  readonly domain: string;
}

const MAX_HOSTNAME = 63;
const MAX_FQDN = 64;

/** What the pod calls itself. Throws when the full name is asked for and too long for the kernel. */
export function podHostname(pod: Pod, clusterDomain: string): PodHostname {
  const { hostname, subdomain, hostnameOverride } = pod.spec ?? {};
  if (hostnameOverride) return { hostname: hostnameOverride, domain: '' };
  const name = hostname || truncate(pod.metadata?.name ?? '');
  const domain = subdomain ? `${subdomain}.${pod.metadata?.namespace ?? 'default'}.svc.${clusterDomain}` : '';
  return { hostname: name, domain };
}

/** The name the kernel gets, by setHostnameAsFQDN. */
export function kernelHostname(pod: Pod, { hostname, domain }: PodHostname): string {
  if (!pod.spec?.setHostnameAsFQDN || !domain) return hostname;
  const full = `${hostname}.${domain}`;
  if (full.length > MAX_FQDN)
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (${MAX_FQDN} characters is the max, ${full.length} characters requested)`,
    );
  return full;
}

/** Linux limits host names; a cut name must not end in a separator. */
function truncate(name: string): string {
  return name.length <= MAX_HOSTNAME ? name : name.slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '');
}

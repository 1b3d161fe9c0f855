import type { Pod } from '@coxswain/api';

export interface ResolvConf {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface DnsOptions {
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  /** What the host resolves with. */
  readonly host: ResolvConf;
}

const MAX_SERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARACTERS = 2048;

export interface DnsResult extends ResolvConf {
  /** What was cut away, for an event. */
  readonly warning?: string;
}

/** How names are resolved inside a pod, by its dnsPolicy and dnsConfig. */
export function podDns(pod: Pod, options: DnsOptions): DnsResult {
  const { dnsPolicy = 'ClusterFirst', dnsConfig, hostNetwork } = pod.spec ?? {};
  let base: ResolvConf;
  let warning: string | undefined;
  const clusterPolicy = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork);
  if (dnsPolicy === 'None') base = { servers: [], searches: [], options: [] };
  else if (clusterPolicy && options.clusterDNS.length > 0) {
    const { clusterDomain: domain } = options;
    const searches = domain ? [`${pod.metadata?.namespace ?? 'default'}.svc.${domain}`, `svc.${domain}`, domain] : [];
    base = { servers: options.clusterDNS, searches: [...searches, ...options.host.searches], options: ['ndots:5'] };
  } else {
    if (clusterPolicy)
      warning = `kubelet does not have ClusterDNS IP configured and cannot create Pod using "${dnsPolicy}" policy. Falling back to "Default" policy.`;
    base = options.host;
  }
  const merged: ResolvConf = {
    servers: unique([...base.servers, ...(dnsConfig?.nameservers ?? [])]),
    searches: unique([...base.searches, ...(dnsConfig?.searches ?? [])]),
    options: mergeOptions(
      base.options,
      (dnsConfig?.options ?? []).map((o) => (o.value ? `${o.name}:${o.value}` : (o.name ?? ''))),
    ),
  };
  return limited(merged, warning);
}

function limited(conf: ResolvConf, warning: string | undefined): DnsResult {
  const servers = conf.servers.slice(0, MAX_SERVERS);
  const searches: string[] = [];
  let characters = 0;
  for (const search of conf.searches) {
    characters += search.length + (searches.length > 0 ? 1 : 0);
    if (searches.length >= MAX_SEARCHES || characters > MAX_SEARCH_CHARACTERS) break;
    searches.push(search);
  }
  let note = warning;
  if (servers.length < conf.servers.length)
    note = `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`;
  if (searches.length < conf.searches.length)
    note = `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`;
  return { servers, searches, options: conf.options, ...(note ? { warning: note } : {}) };
}

const unique = (list: readonly string[]) => [...new Set(list)];

function mergeOptions(base: readonly string[], over: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const option of [...base, ...over]) byName.set(option.split(':')[0] as string, option);
  return [...byName.values()];
}

/** resolv.conf(5). Pure. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let searches: string[] = [];
  const options: string[] = [];
  for (const raw of text.split('\n')) {
    const [word, ...rest] = raw.trim().split(/\s+/);
    if (word === 'nameserver' && rest[0]) servers.push(rest[0]);
    else if (word === 'search') searches = rest.map((s) => (s === '.' ? s : s.replace(/\.$/, '')));
    else if (word === 'options') options.push(...rest);
  }
  return { servers, searches, options };
}

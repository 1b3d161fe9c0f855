import type { HostAlias } from '@coxswain/api';

const HEADER = '# Kubernetes-managed hosts file.\n';
const HOST_HEADER = '# Kubernetes-managed hosts file (host network).\n';

/** /etc/hosts of a pod with a network of its own. */
export function hostsFile(ips: readonly string[], hostname: string, domain: string, aliases: readonly HostAlias[]): string {
  let out = `${HEADER}127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n`;
  for (const ip of ips) out += domain ? `${ip}\t${hostname}.${domain}\t${hostname}\n` : `${ip}\t${hostname}\n`;
  return out + aliasLines(aliases);
}

/** /etc/hosts of a pod on the host's network: the host's own and the aliases. */
export function hostNetworkHostsFile(host: string, aliases: readonly HostAlias[]): string {
  return `${HOST_HEADER}${host}${host.endsWith('\n') || host === '' ? '' : '\n'}${aliasLines(aliases)}`;
}

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return '';
  return `\n# Entries added by HostAliases.\n${aliases.map((a) => `${a.ip}\t${(a.hostnames ?? []).join('\t')}\n`).join('')}`;
}

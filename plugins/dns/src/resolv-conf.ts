import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/** `1.2.3.4`, `1.2.3.4:5353`, `fd00::1`, `[fd00::1]:53`. Throws for anything else. */
export function parseUpstream(text: string): Upstream {
  const match = /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? /^([\d.]+)(?::(\d+))?$/.exec(text);
  const address = match?.[1] ?? text;
  const port = Number(match?.[2] ?? 53);
  if (isIP(address) === 0 || port < 1 || port > 65535) throw new Error(`${text} is not the address of a DNS server`);
  return { address, port };
}

/** The name servers of a resolv.conf text. Scoped IPv6 addresses and nonsense are left out. */
export function nameservers(text: string): Upstream[] {
  const out: Upstream[] = [];
  for (const line of text.split('\n')) {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1];
    if (address !== undefined && isIP(address) !== 0 && !address.includes('%')) out.push({ address, port: 53 });
  }
  return out;
}

/** Files in order of preference: behind systemd-resolved's stub stand the real servers. */
export const RESOLV_CONF_FILES = ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf'] as const;

/** The machine's name servers; none when no file can be read. */
export function systemUpstreams(files: readonly string[] = RESOLV_CONF_FILES): Upstream[] {
  for (const file of files) {
    try {
      const found = nameservers(readFileSync(file, 'utf8'));
      if (found.length > 0) return found;
    } catch {
      // The next file.
    }
  }
  return [];
}

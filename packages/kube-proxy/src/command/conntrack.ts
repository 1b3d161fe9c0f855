import { readFileSync, writeFileSync } from 'node:fs';
import { CliError } from '@coxswain/command';

/** What is to be set of the kernel's connection tracking; absent or 0: left as it is. Times in seconds. */
export interface ConntrackSettings {
  readonly maxPerCore?: number | undefined;
  readonly min?: number | undefined;
  readonly tcpEstablished?: number | undefined;
  readonly tcpCloseWait?: number | undefined;
  readonly udp?: number | undefined;
  readonly udpStream?: number | undefined;
  readonly tcpBeLiberal?: boolean | undefined;
}

/** The kernel's settings, by their names below /proc/sys/net/netfilter. Pure. */
export function conntrackSysctls(settings: ConntrackSettings, cores: number): Readonly<Record<string, number>> {
  const max = settings.maxPerCore ? Math.max(settings.maxPerCore * cores, settings.min ?? 0) : 0;
  const wanted: Readonly<Record<string, number | undefined>> = {
    nf_conntrack_max: max,
    nf_conntrack_tcp_timeout_established: settings.tcpEstablished,
    nf_conntrack_tcp_timeout_close_wait: settings.tcpCloseWait,
    nf_conntrack_udp_timeout: settings.udp,
    nf_conntrack_udp_timeout_stream: settings.udpStream,
    nf_conntrack_tcp_be_liberal: settings.tcpBeLiberal ? 1 : 0,
  };
  return Object.fromEntries(Object.entries(wanted).flatMap(([name, value]) => (value ? [[name, Math.round(value)]] : [])));
}

/** Sets what differs; throws `CliError` when that is not allowed. */
export function applyConntrack(sysctls: Readonly<Record<string, number>>, folder = '/proc/sys/net/netfilter'): void {
  for (const [name, value] of Object.entries(sysctls)) {
    const path = `${folder}/${name}`;
    try {
      if (Number(readFileSync(path, 'utf8')) !== value) writeFileSync(path, String(value));
    } catch (error) {
      throw new CliError(`connection tracking: ${(error as Error).message}`, 'run it with the rights of the host, or set --conntrack-… to 0', 1, {
        cause: error,
      });
    }
  }
}

import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname as machineName } from 'node:os';
import { join } from 'node:path';
import { type DNSConfig, NamespaceMode, type PodSandboxConfig } from '@coxswain/cri';
import type { SpecMount } from '@coxswain/oci';
import { hostRoot, type UserMappings } from './user-mappings.js';

/** Contents of resolv.conf for a DNS configuration. Pure. */
export function resolvConf(dns: Pick<DNSConfig, 'servers' | 'searches' | 'options'>): string {
  const lines = [
    ...(dns.searches.length > 0 ? [`search ${dns.searches.join(' ')}`] : []),
    ...dns.servers.map((server) => `nameserver ${server}`),
    ...(dns.options.length > 0 ? [`options ${dns.options.join(' ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

export const usesHostNetwork = (config: PodSandboxConfig) => config.linux?.securityContext?.namespaceOptions?.network === NamespaceMode.NODE;
export const usesHostIpc = (config: PodSandboxConfig) => config.linux?.securityContext?.namespaceOptions?.ipc === NamespaceMode.NODE;

export const sandboxHostname = (config: PodSandboxConfig) => config.hostname || (usesHostNetwork(config) ? machineName() : '');

const SHARED_FILES = ['hostname', 'hosts', 'resolv.conf'] as const;

/** Writes the files all containers of a pod share. Small and local: synchronous, as `writeJson`. */
export function writeSandboxFiles(dir: string, config: PodSandboxConfig, users?: UserMappings): void {
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  writeFileSync(join(dir, 'hostname'), `${sandboxHostname(config)}\n`, { mode: 0o644 });
  writeFileSync(join(dir, 'resolv.conf'), config.dnsConfig ? resolvConf(config.dnsConfig) : hostFile('/etc/resolv.conf', ''), { mode: 0o644 });
  writeFileSync(join(dir, 'hosts'), hostFile('/etc/hosts', '127.0.0.1 localhost\n'));
  if (!users) return;
  const { uid, gid } = hostRoot(users);
  for (const file of SHARED_FILES) chownSync(join(dir, file), uid, gid);
}

function hostFile(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

/** Their mounts, and the shared memory's unless the runtime mounts that by itself. */
export function sandboxMounts(dir: string, shm: string | undefined, readonly: boolean): SpecMount[] {
  const mode = readonly ? 'ro' : 'rw';
  return [
    ...SHARED_FILES.map((file) => ({
      destination: `/etc/${file}`,
      type: 'bind',
      source: join(dir, file),
      options: ['rbind', 'rprivate', mode],
    })),
    ...(shm === undefined ? [] : [{ destination: '/dev/shm', type: 'bind', source: shm, options: ['rbind', 'rprivate', 'rw'] }]),
  ];
}

import type { PodSpec, Sysctl } from '../../generated/types.js';
import { duplicate, invalid, required } from '../errors.js';
import type { Sink } from '../sink.js';

const SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const NAME = `(${SEGMENT}[\\./])*${SEGMENT}`;
const nameRegExp = new RegExp(`^${NAME}$`);
const MAX_LENGTH = 253;

/** Sysctls with slashes for dots, as a dot of an interface's name then may stay. */
const dotted = (name: string): string => {
  const separator = /[./]/.exec(name)?.[0];
  return separator === '/' ? name.replace(/[./]/g, (found) => (found === '/' ? '.' : '/')) : name;
};

/** Which namespace of the host the pod shares that the sysctl is of. */
export function isHostSysctl(name: string, { hostNetwork, hostIPC }: Pick<PodSpec, 'hostNetwork' | 'hostIPC'>): 'hostNetwork' | 'hostIPC' | undefined {
  const known = dotted(name);
  if (hostNetwork && known.startsWith('net.')) return 'hostNetwork';
  const ipc = known === 'kernel.sem' || known.startsWith('kernel.shm') || known.startsWith('kernel.msg') || known.startsWith('fs.mqueue.');
  return hostIPC && ipc ? 'hostIPC' : undefined;
}

/** `anyHost`: what was stored has sysctls of namespaces that are the host's. */
export function addSysctls(sink: Sink, field: string, sysctls: readonly Sysctl[], spec: PodSpec, anyHost: boolean): void {
  const names = new Set<string>();
  for (const [index, { name = '' }] of sysctls.entries()) {
    const at = `${field}[${index}].name`;
    if (!name) sink.push(required(at));
    else if (name.length > MAX_LENGTH || !nameRegExp.test(name)) {
      sink.push(invalid(at, name, `must have at most ${MAX_LENGTH} characters and match regex ^${NAME}$`));
    } else if (names.has(name)) sink.push(duplicate(at, name));
    names.add(name);
    const shared = anyHost ? undefined : isHostSysctl(name, spec);
    if (shared) sink.push(invalid(at, name, `may not be specified when '${shared}' is true`));
  }
}

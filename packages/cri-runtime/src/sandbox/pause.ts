import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimeSpec } from '@coxswain/oci';
import { DEFAULT_DEVICE_RULES } from '../container/devices.js';
import { installProgram } from '../elf/install-program.js';
import { hostElfArch, pauseProgram } from '../elf/programs.js';
import { podUsers, type SandboxRecord } from './sandbox-record.js';
import { specMappings } from './user-mappings.js';

/** Runs the first process of a pod's PID namespace, for pods that share one. */
export interface PauseRunner {
  /** Returns the pid of the new namespace's first process. */
  start(sandbox: SandboxRecord, cgroupsPath: string): Promise<number>;
  /** Kill and forget. Idempotent; also called for sandboxes of which nothing but the id is known. */
  remove(sandboxId: string): Promise<void>;
}

/** The pause container's id in the runtime. */
export const pauseId = (sandboxId: string) => `pause-${sandboxId.slice(0, 58)}`;

/** A root file system with the pause program and nothing else, written once per node. */
export async function writePauseRootfs(dir: string): Promise<void> {
  await Promise.all(['proc', 'dev'].map((name) => mkdir(join(dir, name), { recursive: true, mode: 0o755 })));
  await installProgram(join(dir, 'pause'), pauseProgram(hostElfArch()));
}

/** The specification of a sandbox's pause container. Pure. */
export function pauseSpec(rootfs: string, sandbox: SandboxRecord, cgroupsPath: string, annotations: Readonly<Record<string, string>> = {}): RuntimeSpec {
  const { net, ipc, uts } = sandbox.namespaces;
  const users = podUsers(sandbox);
  const nobody = Math.min(65535, ...[...(users?.uids ?? []), ...(users?.gids ?? [])].map((m) => m.length - 1));
  return {
    ociVersion: '1.0.2',
    process: { user: { uid: nobody, gid: nobody }, args: ['/pause'], env: [], cwd: '/', noNewPrivileges: true, capabilities: {} },
    root: { path: rootfs, readonly: true },
    // Runtimes make device nodes; not in a root file system that all pause containers share.
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'noexec', 'mode=755', 'size=64k'] },
    ],
    annotations: { ...annotations },
    linux: {
      namespaces: [
        { type: 'mount' },
        { type: 'pid' },
        ...(users ? [{ type: 'user' as const, path: users.path }] : []),
        ...(net ? [{ type: 'network' as const, path: net }] : []),
        ...(ipc ? [{ type: 'ipc' as const, path: ipc }] : []),
        ...(uts ? [{ type: 'uts' as const, path: uts }] : []),
      ],
      ...(users ? { uidMappings: specMappings(users.uids), gidMappings: specMappings(users.gids) } : {}),
      cgroupsPath,
      resources: { devices: [...DEFAULT_DEVICE_RULES], cpu: { shares: 2 } },
    },
  };
}

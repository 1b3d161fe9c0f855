import { type ClusterConfig, hostLauncher } from '@coxswain/cluster';
import type { OwnRole } from '../cluster/own-roles.js';
import { logFile, pidFile, running } from '../cluster/processes.js';
import type { LogLevel } from '@coxswain/command';
import { writePidFile } from '../process/pid-file.js';
import { spawnRole } from '../process/spawn-role.js';
import { runtimeOf } from '../runtimes/registry.js';

/** The daemons of a node's runtime that do not run, one after the other: one may need the one before. */
export async function startDaemons(view: ClusterConfig): Promise<void> {
  for (const daemon of runtimeOf(view).daemons) {
    if (running(view, daemon.name)) continue;
    const { pid } = await daemon.start(view);
    writePidFile(pidFile(view, daemon.name), pid);
  }
}

export interface StartRoleOptions {
  readonly logLevel: LogLevel;
  readonly say: (detail: string) => void;
  readonly signal: AbortSignal;
}

/** One of our own processes, on the view's host. Resolves when it is ready. */
export async function startRole(view: ClusterConfig, role: OwnRole, { logLevel, say, signal }: StartRoleOptions): Promise<void> {
  const where = view.host ? `${view.host.name}: ` : '';
  const start = {
    name: `${where}${role}`,
    args: [`run-${role}`, '--name', view.name, ...(view.host ? ['--host', view.host.name] : []), '--log-level', logLevel],
    launcher: hostLauncher(view),
    logFile: logFile(view, role),
    pidFile: pidFile(view, role),
    onStep: (text: string) => say(`${where}${role}: ${text}`),
    execArgv: nodeArguments(logLevel),
  };
  await spawnRole(start, signal);
}

/**
 * Source maps cost memory, and time at every error's first look at its stack: only who debugs pays. `COXSWAIN_NODE_ARGS` is for
 * profiling (`--cpu-prof --cpu-prof-dir=…`).
 */
function nodeArguments(logLevel: LogLevel): string[] {
  const extra = process.env['COXSWAIN_NODE_ARGS']?.split(' ').filter(Boolean) ?? [];
  return [...(logLevel === 'debug' ? ['--enable-source-maps'] : []), ...extra];
}

export interface RoleToStart {
  readonly view: ClusterConfig;
  readonly role: OwnRole;
}

/** Side by side: they wait for each other. The first failure stops the others that are starting, which is no news. */
export async function startRoles(roles: readonly RoleToStart[], options: Omit<StartRoleOptions, 'signal'>): Promise<void> {
  const failed = new AbortController();
  await all(
    roles.map(async ({ view, role }) => {
      try {
        await startRole(view, role, { ...options, signal: failed.signal });
      } catch (error) {
        if (failed.signal.aborted) return;
        failed.abort(error);
        throw error;
      }
    }),
  );
}

/** All are awaited, so that nothing goes on behind the back of an error. */
export async function all(parts: readonly Promise<void>[]): Promise<void> {
  const failures = (await Promise.allSettled(parts)).filter((r) => r.status === 'rejected').map((r) => r.reason as Error);
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, failures.map((f) => f.message).join('\n'));
}

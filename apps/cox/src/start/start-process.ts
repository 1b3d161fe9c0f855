import { type ClusterConfig, hostLauncher } from '@coxswain/cluster';
import type { OwnRole } from '../cluster/own-roles.js';
import { logFile, running, supervisionOf } from '../cluster/processes.js';
import type { LogLevel } from '@coxswain/command';
import { spawnRole } from '../process/spawn-role.js';
import { runtimeOf } from '../runtimes/registry.js';
import { stopSupervised } from '../supervise/stop-supervised.js';
import { isReady, markReady, supervised, supervisorOf } from '../supervise/supervision.js';

/**
 * The daemons of a node's runtime that do not run, one after the other: one may need the one before. One that runs but was never seen ready is
 * what an `up` left that was killed; nobody would start it again when it ends.
 */
export async function startDaemons(view: ClusterConfig): Promise<void> {
  for (const daemon of runtimeOf(view).daemons) {
    const supervision = supervisionOf(view, daemon.name);
    if (running(view, daemon.name)) {
      if (isReady(supervision)) continue;
      await stopSupervised(supervision, daemon.graceMs);
    }
    await daemon.start(view, await launcher(view, daemon.name));
    markReady(supervision);
  }
}

/** What goes before the command of a process that is about to be started: its supervisor, and the way to its host. */
export async function launcher(view: ClusterConfig, role: string): Promise<readonly string[]> {
  const supervision = supervisionOf(view, role);
  // One that waits to start it again, for a while that nobody wants to wait now.
  if (supervisorOf(supervision)) await stopSupervised(supervision, 0);
  return [...supervised(supervision), ...hostLauncher(view)];
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
    launcher: await launcher(view, role),
    logFile: logFile(view, role),
    stop: () => void stopSupervised(supervisionOf(view, role), 5000),
    onStep: (text: string) => say(`${where}${role}: ${text}`),
    execArgv: nodeArguments(logLevel),
  };
  await spawnRole(start, signal);
}

/**
 * What a request, or the start of a pod, leaves behind lives until the last one waiting has had it: under load, Node's young space of 16 MiB is
 * copied so often that it is a sixth of a control plane's work. It grows only while it is used. Source maps cost memory, and time at every
 * error's first look at its stack: only who debugs pays. `COXSWAIN_NODE_ARGS` is for profiling (`--cpu-prof --cpu-prof-dir=…`), and has the
 * last word.
 */
function nodeArguments(logLevel: LogLevel): string[] {
  const extra = process.env['COXSWAIN_NODE_ARGS']?.split(' ').filter(Boolean) ?? [];
  return ['--max-semi-space-size=32', ...(logLevel === 'debug' ? ['--enable-source-maps'] : []), ...extra];
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

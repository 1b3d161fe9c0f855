import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { type ClusterConfig, controlPlaneViews, etcdAccess, etcdMember } from '@coxswain/cluster';
import { CliError } from '@coxswain/command';
import { logFile, running, supervisionOf } from '../cluster/processes.js';
import { markReady } from '../supervise/supervision.js';
import { launcher } from './start-process.js';
import { setTimeout as sleep } from 'node:timers/promises';

const QUORUM_TIMEOUT_MS = 60_000;

/** The members of the cluster's own etcd that do not run; resolves when they have a quorum. */
export async function startEtcd(config: ClusterConfig): Promise<void> {
  if (config.etcd?.kind !== 'stacked') return;
  const views = controlPlaneViews(config);
  const members = new Map<ClusterConfig, ChildProcess>();
  for (const view of views) if (!running(view, 'etcd')) members.set(view, await startMember(view));
  const until = performance.now() + QUORUM_TIMEOUT_MS;
  for (;;) {
    const health = await Promise.all(views.map(async (view) => ((await isHealthy(view)) ? [] : [view.nodeName])));
    // A member that has a leader says that it is healthy: then more than half are there.
    if (health.some((sick) => sick.length === 0)) {
      for (const view of views) markReady(supervisionOf(view, 'etcd'));
      return;
    }
    const dead = views.filter((view) => members.get(view)?.exitCode != null).map(({ nodeName }) => nodeName);
    if (dead.length * 2 >= views.length || performance.now() > until) {
      const [first] = views;
      throw new CliError(
        `etcd has no quorum: ${dead.length > 0 ? `the members on ${dead.join(', ')} ended` : 'its members found no leader'}`,
        first && `look at: cox logs ${first.nodeName}/etcd --name ${config.name}`,
      );
    }
    await sleep(100);
  }
}

async function startMember(view: ClusterConfig): Promise<ChildProcess> {
  mkdirSync(view.paths.etcd, { recursive: true, mode: 0o700 });
  mkdirSync(view.paths.logs, { recursive: true });
  const [program = '', ...args] = [...(await launcher(view, 'etcd')), ...etcdMember(view)];
  const log = openSync(logFile(view, 'etcd'), 'a', 0o600);
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], cwd: '/' });
  closeSync(log);
  if (child.pid === undefined) throw new CliError('etcd could not be started', 'apt-get install etcd-server');
  child.unref();
  return child;
}

/** Asks the member on the view's host, as its API server would. */
function isHealthy(view: ClusterConfig): Promise<boolean> {
  const access = etcdAccess(view);
  const [own] = access?.endpoints ?? [];
  if (!own || !access?.caFile || !access.certFile || !access.keyFile) return Promise.resolve(false);
  const { caFile, certFile, keyFile } = access;
  return new Promise((resolve) => {
    const asked = request(
      `${own}/health`,
      { ca: readFileSync(caFile), cert: readFileSync(certFile), key: readFileSync(keyFile), agent: false, signal: AbortSignal.timeout(2000) },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.once('end', () => resolve(text.includes('"health":"true"')));
        response.once('error', () => resolve(false));
      },
    );
    asked.once('error', () => resolve(false));
    asked.end();
  });
}

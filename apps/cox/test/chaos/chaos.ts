import { FakeRandom } from '@coxswain/sdk-testing';
import { tracesOf } from '@coxswain/cluster';
import { type ClusterFixture, eventually } from '../cluster-fixture.js';
import { ChangeWatcher } from './change-watcher.js';
import { chooseFault } from './faults.js';
import { Ledger } from './ledger.js';
import { machineState } from './machine-state.js';
import { Workload } from './workload.js';

export interface ChaosOptions {
  readonly seed: number;
  readonly rounds: number;
  /** Of `cox up`. */
  readonly up: readonly string[];
  /** Names of faults. */
  readonly only?: RegExp;
  /** Leave a cluster running that something is wrong with. */
  readonly keep?: boolean;
  say(text: string): void;
}

const NAMESPACE = 'chaos';
const SETTLE_MS = 180_000;

/** Hurts a cluster under load, round by round, and returns what is wrong afterwards: nothing. */
export async function chaos(cluster: ClusterFixture, { seed, rounds, up, only, keep, say }: ChaosOptions): Promise<string[]> {
  const random = new FakeRandom(seed);
  const found: string[] = [];
  await cluster.up(...up);
  await cluster.loadGuestbook();
  await cluster.kubectl('create', 'namespace', NAMESPACE);
  await eventually('the namespace has its account', () => cluster.kubectl('get', 'serviceaccount', 'default', '-n', NAMESPACE));
  const client = () => cluster.client;
  const apply = async (yaml: string) => {
    const { code, stderr } = await cluster.kubectlRaw(['apply', '-n', NAMESPACE, '-f', '-'], { input: yaml, timeoutMs: 20_000 });
    if (code !== 0) throw new Error(stderr);
  };
  const workload = new Workload(client, apply, NAMESPACE, cluster.name);
  const ledger = new Ledger(client, NAMESPACE);
  const watcher = new ChangeWatcher(client, NAMESPACE);
  // What comes with a first pod and stays is no leftover.
  await workload.once(SETTLE_MS);
  const before = await machineState(cluster.config);
  await workload.create();
  await workload.settled(SETTLE_MS);
  const load = new AbortController();
  const writers = [1, 2, 3].map((writer) => {
    const own = new FakeRandom(seed * 10 + writer);
    return ledger.write(load.signal, (n) => own.int(n));
  });
  const watching = new AbortController();
  const watched = watcher.run(watching.signal);
  const loads = [...writers, workload.run(load.signal)];
  // Whoever waits long for them must not be told of their ends by Node.js.
  for (const each of loads) each.catch(() => {});

  for (let round = 1; round <= rounds; round++) {
    await new Promise((resolve) => setTimeout(resolve, 500 + random.int(3000)));
    const fault = chooseFault(cluster, random, only);
    const done = await fault.run(cluster, random);
    say(`round ${round}: ${done}`);
    if (fault.needsUp) await upAgain(cluster);
    else if (random.int(3) > 0) continue;
    await eventually('the cluster is healthy', () => cluster.mustCox('status', '--name', cluster.name), SETTLE_MS);
    say(`  healthy; ${ledger.acknowledged} writes acknowledged, ${ledger.unanswered} not, ${watcher.events} changes seen over ${watcher.breaks} breaks`);
  }

  load.abort();
  await Promise.allSettled(loads);
  await eventually('the cluster is healthy', () => cluster.mustCox('status', '--name', cluster.name), SETTLE_MS);
  const step = async (what: string, run: () => Promise<unknown>) => {
    const begun = performance.now();
    await run().catch((error: unknown) => found.push(`${what}: ${(error as Error).message}`));
    say(`${what}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  };
  await step('settling', () => workload.settled(SETTLE_MS));
  await step('the ledger', async () => found.push(...(await ledger.faults())));
  await step('the watcher', () =>
    eventually(
      'a watcher has seen everything',
      async () => {
        const missed = await watcher.missed();
        if (missed.length > 0) throw new Error(missed.join('; '));
      },
      15_000,
    ),
  );
  found.push(...watcher.faults, ...new Set(workload.doubles));
  watching.abort();
  await watched;
  await step('removing the workload', () => workload.remove(SETTLE_MS));
  await step('one more pod', () => workload.once(SETTLE_MS));
  await step('leftovers', () =>
    eventually('nothing is there that was not before', async () => {
      const after = await machineState(cluster.config);
      const more = after.filter((line) => !before.includes(line));
      if (more.length > 0) throw new Error(`\n${more.join('\n')}`);
    }),
  );
  if (keep && found.length > 0) return found;
  const { config } = cluster;
  await cluster.mustCox('down', '--name', cluster.name);
  found.push(...(await tracesOf(config)).map((trace) => `left by down: ${trace}`));
  return found;
}

/** It may meet processes that their supervisors start at the same time. */
async function upAgain(cluster: ClusterFixture): Promise<void> {
  const { code, stdout, stderr } = await cluster.cox(['up', '--name', cluster.name], { timeoutMs: 240_000 });
  if (code !== 0 && !stderr.includes('is running already')) throw new Error(`cox up ended with ${code}:\n${stdout}${stderr}`);
}

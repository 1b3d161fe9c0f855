import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type FuzzCase, nextCase } from './cases.js';
import { Dice } from './dice.js';
import { type RawAnswer, requestBytes, send, type Target } from './request.js';

export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Connections at a time. */
  readonly concurrency: number;
}

export interface FuzzReport {
  readonly cases: number;
  /** How often each status was answered; 0 is no answer at all. */
  readonly statuses: ReadonlyMap<number, number>;
  /** What upstream would not do, each with how to see it again. */
  readonly findings: readonly string[];
  /** Bytes of heap in use, collected: after the first third, and at the end. */
  readonly heap: readonly [number, number];
}

const TOKEN = 'admin';
/** A server that does not come to its event loop for so long hangs. */
const STUCK_MS = 30_000;
/** Enough to see what is wrong. */
const MAX_FINDINGS = 20;

/** Throws cases at a server of its own until the time is up. The same seed throws the same cases in the same order. */
export async function runFuzz({ seed, seconds, concurrency }: FuzzOptions): Promise<FuzzReport> {
  const server = fork(fileURLToPath(new URL('server-process.ts', import.meta.url)), {
    execArgv: ['--conditions=coxswain-source', '--import', 'tsx', '--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    const { port, ca } = (await answerOf(server)) as { port: number; ca: string };
    const target: Target = { port, ca, token: TOKEN };
    const dice = new Dice(seed);
    const statuses = new Map<number, number>();
    const findings: string[] = [];
    let cases = 0;
    const throwUntil = async (end: number) => {
      while (performance.now() < end && findings.length < MAX_FINDINGS && server.exitCode === null) {
        const number = cases++;
        const thrown = nextCase(dice);
        const answer = await send(thrown.request, target).catch((error: Error) => error);
        const status = answer instanceof Error ? 0 : answer.status;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        const problem = problemOf(thrown, answer);
        if (problem)
          findings.push(
            `case ${number} of seed ${seed} (${thrown.family}): ${problem}\n${requestBytes(thrown.request, TOKEN).toString('latin1').slice(0, 600)}`,
          );
      }
    };
    const round = (end: number) => Promise.all(Array.from({ length: concurrency }, () => throwUntil(end)));
    const begun = performance.now();
    await round(begun + (seconds * 1000) / 3);
    const settled = await heapOf(server);
    await round(begun + seconds * 1000);
    const last = await heapOf(server);
    if (server.exitCode !== null || server.signalCode !== null)
      findings.push(`the server ended (code ${server.exitCode}, signal ${server.signalCode}) within ${cases} cases of seed ${seed}`);
    else {
      const health = await send({ method: 'GET', path: '/readyz' }, target).catch((error: Error) => error);
      if (health instanceof Error || health.status !== 200) findings.push(`the server is not well after ${cases} cases of seed ${seed}`);
    }
    return { cases, statuses, findings, heap: [settled, last] };
  } finally {
    server.kill('SIGKILL');
  }
}

function problemOf({ upstreamToo }: FuzzCase, answer: RawAnswer | Error): string | undefined {
  if (answer instanceof Error) return answer.message;
  if (answer.status >= 500 && !upstreamToo?.(answer)) return `answered ${answer.head}`;
  return undefined;
}

async function answerOf(server: ChildProcess): Promise<unknown> {
  const [message] = await Promise.race([once(server, 'message'), once(server, 'exit').then(() => [undefined])]);
  if (message === undefined) throw new Error('the server under test did not start');
  return message;
}

async function heapOf(server: ChildProcess): Promise<number> {
  if (server.exitCode !== null || server.signalCode !== null) return 0;
  server.send('memory');
  const stuck = AbortSignal.timeout(STUCK_MS);
  const answer = await Promise.race([answerOf(server), once(stuck, 'abort').then(() => undefined)]);
  return answer === undefined ? Number.POSITIVE_INFINITY : (answer as { heapUsed: number }).heapUsed;
}

import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateRoot } from '@coxswain/cluster';
import { CliError } from '@coxswain/command';

const ASK_MS = 1000;
const RETRY_MS = 20;
/** Making a cluster's description takes milliseconds. */
const DESCRIBE_MS = 10_000;

/**
 * Runs what changes a cluster, unless another command is changing it: `up` and `down` would take each other's half-made things for left-overs.
 * The kernel keeps the claim, an abstract socket: one that was killed keeps nobody out.
 */
export async function changing<T>(cluster: string, command: string, run: () => Promise<T>): Promise<T> {
  const name = claimName(`cluster ${cluster}`);
  const claim = await listen(name, `cox ${command} (process ${process.pid})`);
  if (!claim) {
    const who = (await ask(name)) || 'another cox command';
    throw new CliError(`${who} is at work on cluster "${cluster}"`, 'wait for its end, or stop it, and try again');
  }
  try {
    return await run();
  } finally {
    claim.close();
  }
}

/** Clusters that are made at the same time must not get the same index. */
export async function describing<T>(run: () => T): Promise<T> {
  const until = performance.now() + DESCRIBE_MS;
  for (;;) {
    const claim = await listen(claimName('descriptions'), '');
    if (claim) {
      try {
        return run();
      } finally {
        claim.close();
      }
    }
    if (performance.now() > until) throw new CliError('other cox commands are making clusters all the time', 'try again');
    await sleep(RETRY_MS);
  }
}

const claimName = (what: string) => `\0coxswain-${createHash('sha256').update(`${stateRoot()}\0${what}`).digest('hex').slice(0, 40)}`;

function listen(name: string, who: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((asker) => {
      asker.on('error', () => {});
      asker.end(who);
    });
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(name, () => resolve(server.unref()));
  });
}

/** Empty when the other does not answer in time, or has just ended. */
function ask(name: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(name);
    socket.setTimeout(ASK_MS, () => socket.destroy());
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

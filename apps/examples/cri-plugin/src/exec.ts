import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { type CommandOutcome, CriError } from '@coxswain/cri';
import type { ProcessContainer } from './process-container.js';

interface ExecStreams {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
}

/** Run a command where the container runs. It is killed when the signal aborts. */
export function exec(container: ProcessContainer, command: readonly string[], streams: ExecStreams, signal: AbortSignal): Promise<CommandOutcome> {
  const [program, ...args] = command;
  if (program === undefined) throw new CriError('invalidArgument', 'no command was given');
  const child = spawn(program, args, { ...container.surroundings, stdio: 'pipe', signal, killSignal: 'SIGKILL' });
  if (streams.stdin) streams.stdin.pipe(child.stdin);
  else child.stdin.end();
  // A command that does not read its input is no failure.
  child.stdin.on('error', () => {});
  for (const name of ['stdout', 'stderr'] as const) {
    const to = streams[name];
    if (to) child[name].pipe(to, { end: false });
    else child[name].resume();
  }
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(signal.aborted ? (signal.reason as Error) : new CriError('unknown', error.message)));
    child.once('close', (code) => resolve({ type: 'exit', code: code ?? 137 }));
  });
}

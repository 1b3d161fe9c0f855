import { type CommandOutcome, CriError, type StreamSession } from '@coxswain/cri';
import type { ContainerRecord } from '@coxswain/cri-runtime';
import type { Engine } from '../engine/engine.js';
import { copyOutput } from '../engine/frames.js';

/** An attach session, until the container or the client ends. */
export async function attachSession(engine: Engine, record: ContainerRecord, session: StreamSession): Promise<CommandOutcome> {
  const { id, config } = record.meta;
  const { stdin, stdout, stderr } = session;
  const useStdin = stdin !== undefined && config.stdin;
  const socket = await engine.containers
    .attach(id, { stdin: useStdin, stdout: stdout !== undefined, stderr: stderr !== undefined && !config.tty })
    .catch((cause: unknown) => {
      throw new CriError('unknown', `failed to attach to container ${id}: ${(cause as Error).message}`, { cause });
    });
  const close = () => socket.destroy();
  session.signal.addEventListener('abort', close, { once: true });
  if (useStdin) {
    // Its end is the container's end of input only where the container wants one client.
    stdin.pipe(socket, { end: config.stdinOnce });
    if (!config.stdinOnce && !stdout && !stderr) stdin.once('end', close);
  }
  if (config.tty) {
    void (async () => {
      for await (const { width, height } of session.resize) await engine.containers.resize(id, width, height).catch(() => {});
    })();
  }
  await copyOutput(socket, config.tty, { stdout, stderr }).catch(() => {});
  session.signal.removeEventListener('abort', close);
  socket.destroy();
  return { type: 'exit', code: 0 };
}

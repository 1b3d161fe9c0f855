import type { Writable } from 'node:stream';
import { type CommandOutcome, CriError, type StreamSession } from '@coxswain/cri';
import type { ContainerRecord } from '@coxswain/cri-runtime';
import type { Containerd } from '../containerd/client.js';
import type { ContainerIo } from '../io/container-io.js';

/** Connect a session with a container's own streams, until the container or the client ends. */
export function attachSession(containerd: Containerd, record: ContainerRecord, io: ContainerIo | undefined, session: StreamSession): Promise<CommandOutcome> {
  if (!io) throw new CriError('unknown', 'the container has no streams');
  const { config, id } = record.meta;
  return new Promise<CommandOutcome>((resolve) => {
    const undo: (() => void)[] = [];
    const end = (outcome: CommandOutcome) => {
      for (const f of undo.splice(0)) f();
      resolve(outcome);
    };
    const over = () => end({ type: 'exit', code: 0 });
    const tap = (stream: 'stdout' | 'stderr', sink: Writable | undefined) => {
      if (sink) undo.push(io.tap(stream, sink, over));
    };
    tap('stdout', session.stdout);
    if (!config.tty) tap('stderr', session.stderr);
    const stdin = session.stdin && io.stdin();
    if (session.stdin && stdin) {
      session.stdin.pipe(stdin, { end: false });
      undo.push(() => session.stdin?.unpipe(stdin));
      session.stdin.once('end', () => {
        // Who leaves a terminal has not ended its input: a shell would take that for its end.
        if (!config.stdinOnce || config.tty) return session.stdout || session.stderr ? undefined : over();
        void io.closeStdin().then(() => containerd.tasks.closeIO({ containerId: id, stdin: true }).catch(() => {}));
      });
    }
    if (config.tty) {
      void (async () => {
        for await (const { width, height } of session.resize) await containerd.tasks.resizePty({ containerId: id, width, height }).catch(() => {});
      })();
    }
    session.signal.addEventListener('abort', over, { once: true });
    // The status waits for the pipes to be empty, so all output has been passed on by then.
    void record.exited.then(over);
  });
}

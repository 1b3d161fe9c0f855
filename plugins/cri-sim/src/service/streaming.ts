import { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { AttachRequest, CommandOutcome, ExecRequest, StreamingHandler, StreamSession } from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';
import type { Simulation } from '../sim/simulation.js';
import { execAnswer } from './exec.js';

/** Exec, attach and port-forward by script. */
export class SimStreaming implements StreamingHandler {
  constructor(
    private readonly simulation: Simulation,
    private readonly clock: Clock,
  ) {}

  async exec(request: ExecRequest, session: StreamSession): Promise<CommandOutcome> {
    const container = this.simulation.runningContainer(request.containerId);
    const { stdout, stderr, code, echo } = await execAnswer(container, request.cmd, this.clock, session.signal);
    if (echo && session.stdin && session.stdout) await pipeline(session.stdin, session.stdout, { end: false });
    if (stdout !== '') session.stdout?.write(session.tty ? stdout.replaceAll('\n', '\r\n') : stdout);
    if (stderr !== '') (session.tty ? session.stdout : session.stderr)?.write(stderr);
    return { type: 'exit', code };
  }

  /** What the container says from now on, until it ends or the client leaves. Its standard input is read and ignored. */
  async attach(request: AttachRequest, session: StreamSession): Promise<CommandOutcome> {
    const container = this.simulation.runningContainer(request.containerId);
    session.stdin?.resume();
    const undo = container.listen((stream, line) => (stream === 'stderr' && !session.tty ? session.stderr : session.stdout)?.write(`${line}\n`));
    const left = new Promise<void>((resolve) => session.signal.addEventListener('abort', () => resolve(), { once: true }));
    try {
      await Promise.race([container.ended(), left]);
    } finally {
      undo();
    }
    return { type: 'exit', code: container.record.state === 'exited' ? container.record.exitCode : 0 };
  }

  async portForward(podSandboxId: string, port: number): Promise<Duplex> {
    const running = this.simulation.containersOf(this.simulation.sandbox(podSandboxId).id).filter((c) => c.record.state === 'running');
    const answer = running.map((c) => c.script.ports[String(port)]).find((a) => a !== undefined);
    if (answer === undefined) throw new Error(`error forwarding port ${port} to pod ${podSandboxId}: connect ECONNREFUSED 127.0.0.1:${port}`);
    return answering(answer);
  }
}

/** A connection that says its answer after the first bytes it receives, and ends. */
function answering(answer: string): Duplex {
  let said = false;
  const connection: Duplex = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      if (!said) {
        said = true;
        connection.push(answer);
        connection.push(null);
      }
      done();
    },
  });
  return connection;
}

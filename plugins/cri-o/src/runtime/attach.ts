import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { type CommandOutcome, CriError, type StreamSession } from '@coxswain/cri';
import type { ContainerRecord } from '@coxswain/cri-runtime';
import { connectPacketSocket, type PacketSocket } from '@coxswain/linux';
import type { Clock } from '@coxswain/sdk';
import { type ConmonDirs, monitorName, resizeTerminal } from './conmon.js';

/** conmon's packets: one byte that says which stream, then its output. */
const STDERR = 3;
/** It reads standard input in packets of up to 32 KiB. */
const STDIN_PACKET = 8192;
/** Output a client has not taken: past this it is dropped from the container. */
const BUFFER_BYTES = 1024 * 1024;

export interface ConmonStreams {
  readonly stdin?: Readable | undefined;
  readonly stdout?: Writable | undefined;
  readonly stderr?: Writable | undefined;
}

/** Connect streams with a conmon's attach socket. `stdinEnd`: what the end of input means to the caller. */
export function attachStreams(socketPath: string, streams: ConmonStreams, clock: Pick<Clock, 'sleep'>, stdinEnd: (socket: PacketSocket) => void): PacketSocket {
  const deliver = (packet: Uint8Array) => {
    const sink = packet[0] === STDERR ? streams.stderr : streams.stdout;
    if (!sink || sink.destroyed || sink.writableEnded) return;
    sink.write(Buffer.from(packet.subarray(1)));
    if (sink.writableLength > BUFFER_BYTES) socket.close();
  };
  const socket = connectPacketSocket(socketPath, deliver, (ms) => clock.sleep(ms));
  const { stdin } = streams;
  if (stdin) {
    void (async () => {
      try {
        for await (const chunk of stdin) {
          const bytes = chunk as Buffer;
          for (let at = 0; at < bytes.length; at += STDIN_PACKET) await socket.send(bytes.subarray(at, at + STDIN_PACKET));
        }
        stdinEnd(socket);
      } catch {
        // The container's side has closed, or the client went away without an end.
      }
    })();
  }
  return socket;
}

/** An attach session, until the container or the client ends. */
export async function attachSession(
  dirs: ConmonDirs,
  bundle: string,
  record: ContainerRecord,
  session: StreamSession,
  clock: Pick<Clock, 'sleep'>,
): Promise<CommandOutcome> {
  const { id, config } = record.meta;
  let socket: PacketSocket;
  try {
    socket = attachStreams(join(dirs.sockets, monitorName(id), 'attach'), { ...session, ...(config.tty ? { stderr: undefined } : {}) }, clock, (s) => {
      if (config.stdin && config.stdinOnce) s.endSending();
      else if (!session.stdout && !session.stderr) s.close();
    });
  } catch (cause) {
    throw new CriError('unknown', `failed to attach to container ${id}: ${(cause as Error).message}`, { cause });
  }
  const close = () => socket.close();
  session.signal.addEventListener('abort', close, { once: true });
  if (config.tty) {
    void (async () => {
      for await (const { width, height } of session.resize) resizeTerminal(bundle, width, height);
    })();
  }
  // conmon has read everything before it records the end; what is on its way to us needs a moment more.
  void record.exited.then(() => clock.sleep(1000)).then(close, close);
  await socket.closed;
  session.signal.removeEventListener('abort', close);
  return { type: 'exit', code: 0 };
}

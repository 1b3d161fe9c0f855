import type { IncomingMessage } from 'node:http';
import { createConnection, createServer, type Server } from 'node:net';
import { duplexPair } from 'node:stream';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AttachRequestSchema,
  dialCommand,
  dialPortForward,
  ExecRequestSchema,
  PortForwardRequestSchema,
  StreamingServer,
  type TerminalSize,
} from '../index.js';
import { servePortForward } from './port-forward-server.js';
import { SpdyConnection } from './spdy/connection.js';

const all = { stdin: true, stdout: true, stderr: true, tty: false };

describe.each(['spdy', 'websocket'] as const)('streaming over %s', (transport) => {
  let server: StreamingServer;
  let echo: Server;
  let sizes: TerminalSize[];
  let idle: string | undefined;

  const serve = (idleTimeoutMs?: number) =>
    StreamingServer.start({
      ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
      handler: {
        async exec(request, session) {
          const [command] = request.cmd;
          if (command === 'fail') throw new Error('no such command');
          if (command === 'tty') {
            for await (const size of session.resize) {
              sizes.push(size);
              if (sizes.length === 2) break;
            }
            session.stdout?.write('sized');
            return { type: 'exit', code: 0 };
          }
          if (command === 'wait') {
            await new Promise<void>((resolve) => session.signal.addEventListener('abort', () => resolve()));
            idle = 'aborted';
          }
          session.stderr?.write('warning');
          let n = 0;
          for await (const chunk of session.stdin ?? []) {
            n += (chunk as Buffer).length;
            session.stdout?.write(chunk);
          }
          return { type: 'exit', code: n % 256 };
        },
        attach: async () => ({ type: 'exit', code: 0 }),
        portForward: async (_id, port) => {
          if (port === 1) throw new Error('connection refused');
          const socket = createConnection({ port: (echo.address() as { port: number }).port, host: '127.0.0.1', allowHalfOpen: true });
          await once(socket, 'connect');
          return socket;
        },
      },
    });

  beforeEach(async () => {
    sizes = [];
    echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    idle = undefined;
    server = await serve();
  });
  afterEach(async () => {
    await server.close();
    echo.close();
  });

  const url = (cmd: string, tty = false) =>
    server.exec(create(ExecRequestSchema, { containerId: 'c', cmd: [cmd], stdin: true, stdout: true, stderr: !tty, tty }));

  it('carries stdin, stdout, stderr, half-close and the exit code', async () => {
    const session = await dialCommand({ url: url('cat'), transport }, all);
    const body = Buffer.alloc(1_000_007, 'y');
    session.stdin?.end(body);
    const [out, err, outcome] = await Promise.all([text(session.stdout!), text(session.stderr!), session.outcome]);
    expect(out.length).toBe(body.length);
    expect(err).toBe('warning');
    expect(outcome).toEqual({ type: 'exit', code: 1_000_007 % 256 });
    expect(session.protocol).toBe('v5.channel.k8s.io');
  });

  it('carries terminal sizes', async () => {
    const session = await dialCommand({ url: url('tty', true), transport }, { ...all, tty: true });
    session.resize({ width: 80, height: 24 });
    session.resize({ width: 132, height: 43 });
    expect(await text(session.stdout!)).toBe('sized');
    expect(await session.outcome).toEqual({ type: 'exit', code: 0 });
    expect(sizes).toEqual([
      { width: 80, height: 24 },
      { width: 132, height: 43 },
    ]);
  });

  it('reports failures in the status and refuses a URL used twice', async () => {
    const once = url('fail');
    const session = await dialCommand({ url: once, transport }, all);
    expect(await session.outcome).toEqual({ type: 'error', message: 'Internal error occurred: no such command' });
    await expect(dialCommand({ url: once, transport }, all)).rejects.toMatchObject({ statusCode: 404 });
  });

  it('speaks the older protocols', async () => {
    for (const protocol of transport === 'spdy'
      ? ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io']
      : ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io']) {
      const session = await dialCommand({ url: url('fail'), transport, protocols: [protocol] }, all);
      expect(session.protocol).toBe(protocol);
      expect(await session.outcome).toMatchObject({ type: 'error', message: expect.stringContaining('no such command') });
    }
  });

  it('forwards ports, several at once, and reports what cannot be dialled', async () => {
    const forward = await dialPortForward({ url: server.portForward(create(PortForwardRequestSchema, { podSandboxId: 'p', port: [80] })), transport });
    const answers = await Promise.all(
      [10, 700_000].map(async (size) => {
        const stream = await forward.open(80);
        stream.end(Buffer.alloc(size, 'z'));
        return (await text(stream)).length;
      }),
    );
    expect(answers).toEqual([10, 700_000]);
    const bad = await forward.open(1);
    await expect(once(bad, 'error').then(([e]) => (e as Error).message)).resolves.toContain('connection refused');
    forward.close();
  });

  it('ends a session that carries nothing', async () => {
    await server.close();
    server = await serve(300);
    const session = await dialCommand({ url: url('wait'), transport }, all);
    expect(await session.outcome).toMatchObject({ type: 'error' });
    await expect.poll(() => idle).toBe('aborted');
  });

  it('refuses requests without streams before handing out a URL', () => {
    expect(() => server.attach(create(AttachRequestSchema, { containerId: 'c' }))).toThrow(/one of stdin/);
    expect(() => server.exec(create(ExecRequestSchema, { tty: true, stderr: true }))).toThrow(/cannot both/);
  });
});

it('a port whose streams do not come in time is given up', async () => {
  let fire = () => {};
  const clock = { now: () => 0, sleep: async () => {}, setTimeout: (fn: () => void) => ((fire = fn), () => {}) };
  const [client, peer] = duplexPair();
  const served = servePortForward(
    { request: { headers: { upgrade: 'SPDY/3.1' } } as IncomingMessage, socket: peer, head: Buffer.alloc(0) },
    { ports: [], dial: () => Promise.reject(new Error('never')) },
    clock,
  );
  await once(client, 'data');
  const connection = new SpdyConnection(client, { role: 'client' });
  const error = await connection.open({ streamtype: 'error', port: '80', requestid: '0' });
  fire();
  expect(await text(error)).toContain('timed out waiting for streams');
  peer.destroy();
  await served;
});

import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@coxswain/sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requireEngine } from './connect.js';
import { Engine } from './engine.js';

let dir: string;
let socket: string;
let stop: (() => void)[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cox-engine-'));
  socket = join(dir, 's');
  stop = [];
});
afterEach(() => {
  for (const undo of stop) undo();
  rmSync(dir, { recursive: true, force: true });
});

const version = { ApiVersion: '1.41', MinAPIVersion: '1.12', Version: '20.10' };

/** What listens on the socket. `version` is answered first, as an engine does, unless the answer says otherwise. */
async function listen(answer: RequestListener): Promise<Engine> {
  const server: Server = createServer((req, res) => {
    if (req.url === '/version') res.end(JSON.stringify(version));
    else answer(req, res);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  stop.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return client();
}

function client(timeoutMs = 200): Engine {
  const engine = new Engine({ socket, clock: systemClock, timeoutMs });
  stop.push(() => engine.close());
  return engine;
}

describe('the engine', () => {
  test('that is not there is said to be unreachable, with its socket', async () => {
    await expect(client().info()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining(socket) });
  });

  test('that was started again is asked anew, where asking twice does no harm', async () => {
    const asked = new Map<object, number>();
    // The second request on any connection finds it closed.
    const engine = await listen((req, res) => {
      const nth = (asked.get(req.socket) ?? 0) + 1;
      asked.set(req.socket, nth);
      if (nth > 1) req.socket.destroy();
      else res.end('{"Id":"x"}');
    });
    const body = { Cmd: ['true'], AttachStdin: false, AttachStdout: false, AttachStderr: false, Tty: false };
    for (let i = 0; i < 3; i++) expect(await engine.execs.create('c', body)).toEqual({ Id: 'x' });
    for (let i = 0; i < 3; i++) await engine.info();
    await engine.info();
    await expect(engine.containers.start('c')).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('that hangs mid-call is given up', async () => {
    const engine = await listen(() => {});
    await expect(engine.info()).rejects.toMatchObject({ code: 'deadlineExceeded', message: expect.stringMatching(/GET \/v1\.41\/info within 0\.2 s/) });
  });

  test('that dies mid-call, before the answer or in it, is said to be gone', async () => {
    const before = await listen((req) => req.socket.destroy());
    await expect(before.info()).rejects.toMatchObject({ code: 'unavailable' });
    const during = await (async () => {
      stop.splice(0).forEach((undo) => undo());
      return listen((_, res) => {
        res.writeHead(200, { 'content-length': '100' });
        res.write('{');
        setImmediate(() => res.destroy());
      });
    })();
    await expect(during.info()).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('answers errors in its words, with the code that fits', async () => {
    const engine = await listen((_, res) => res.writeHead(404).end(JSON.stringify({ message: 'No such image: x:latest' })));
    await expect(engine.images.inspect('x')).rejects.toMatchObject({ code: 'notFound', status: 404, message: 'No such image: x:latest' });
  });

  test('that keeps images in a way we cannot look into is refused with what to set', async () => {
    const engine = await listen((_, res) => res.end(JSON.stringify({ Driver: 'btrfs', CgroupDriver: 'cgroupfs' })));
    await expect(requireEngine(engine)).rejects.toThrow('"storage-driver": "overlay2"');
  });

  test('that is too old, and one that has dropped our version: refused, and asked in its oldest', async () => {
    const asked: string[] = [];
    const speaking = async (ApiVersion: string, MinAPIVersion: string) => {
      stop.splice(0).forEach((undo) => undo());
      const server = createServer((req, res) => {
        asked.push(req.url ?? '');
        res.end(JSON.stringify(req.url === '/version' ? { ApiVersion, MinAPIVersion } : {}));
      });
      await new Promise<void>((resolve) => server.listen(socket, resolve));
      stop.push(() => server.close());
      return client();
    };
    await expect((await speaking('1.39', '1.12')).info()).rejects.toThrow(/speaks API 1\.39; 1\.40/);
    await (await speaking('1.52', '1.44')).info();
    expect(asked.at(-1)).toBe('/v1.44/info');
    await (await speaking('1.40', '1.12')).info();
    expect(asked.at(-1)).toBe('/v1.40/info');
  });

  test.each<[string, RequestListener]>([
    ['a web server', (_, res) => res.end('<html>')],
    ['one that knows nothing', (_, res) => res.writeHead(404).end('404 page not found')],
    ['one that speaks of something else', (_, res) => res.end('{"version":"v2"}')],
  ])('is not %s', async (_, answer) => {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    stop.push(() => server.close());
    await expect(client().info()).rejects.toMatchObject({ code: 'unavailable', message: `what listens on ${socket} is no Docker Engine` });
  });

  test('is not something that speaks no HTTP', async () => {
    const server = createSocketServer((s) => s.end('220 mail ready\r\n'));
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    stop.push(() => server.close());
    await expect(client().info()).rejects.toMatchObject({ code: 'unavailable', message: `what listens on ${socket} is no Docker Engine` });
  });

  test('is given a signal: a call that nobody waits for any more ends', async () => {
    const engine = await listen(() => {});
    const abort = new AbortController();
    const logs = engine.containers.logs('x', undefined, abort.signal);
    setImmediate(() => abort.abort(new Error('enough')));
    await expect(logs).rejects.toThrow('enough');
  });
});

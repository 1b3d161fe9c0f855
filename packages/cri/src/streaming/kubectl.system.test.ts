import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createConnection, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptCommand, rejectUpgrade, servePortForward } from '../index.js';

const KUBECTL = process.env.KUBECTL ?? fileURLToPath(new URL('../../../../.cache/bin/kubectl', import.meta.url));

/** Upstream's kubectl against our streaming code, behind just enough of an API server. */
describe.each([
  ['websocket', 'true'],
  ['spdy', 'false'],
])('kubectl over %s', (_name, websockets) => {
  let server: Server;
  let echo: TcpServer;
  const env = {
    ...process.env,
    KUBECONFIG: '/dev/null',
    HOME: '/nonexistent',
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: websockets,
    KUBECTL_PORT_FORWARD_WEBSOCKETS: websockets,
  };
  const portOf = (s: Server | TcpServer) => (s.address() as AddressInfo).port;
  const kubectl = (...args: string[]) => spawn(KUBECTL, ['--server', `http://127.0.0.1:${portOf(server)}`, ...args], { env });

  beforeAll(async () => {
    if (!existsSync(KUBECTL)) throw new Error(`kubectl was not found at ${KUBECTL}: run "npm run up" once, or set KUBECTL`);
    echo = createTcpServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
    echo.listen(0, '127.0.0.1');
    const pages: Record<string, object> = {
      '/api': { kind: 'APIVersions', versions: ['v1'] },
      '/apis': { kind: 'APIGroupList', groups: [] },
      '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [{ name: 'pods', namespaced: true, kind: 'Pod', verbs: ['get'] }] },
      '/api/v1/namespaces/default/pods/x': {
        kind: 'Pod',
        apiVersion: 'v1',
        metadata: { name: 'x', namespace: 'default' },
        spec: { containers: [{ name: 'c', image: 'i' }] },
        status: { phase: 'Running' },
      },
    };
    server = createServer((request, response) => {
      const page = pages[(request.url ?? '').split('?')[0] as string];
      response.writeHead(page ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(page ?? {}));
    });
    server.on('upgrade', (request, socket, head) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
      const wants = (name: string) => searchParams.get(name) === 'true';
      const dial = async () => {
        const connection = createConnection({ port: portOf(echo), host: '127.0.0.1', allowHalfOpen: true });
        await once(connection, 'connect');
        return connection;
      };
      const run = async () => {
        const session = await acceptCommand(
          { request, socket, head },
          { stdin: wants('stdin'), stdout: wants('stdout'), stderr: wants('stderr'), tty: wants('tty') },
        );
        session.stderr?.write('warning\n');
        for await (const chunk of session.stdin ?? []) session.stdout?.write(chunk);
        await session.finish({ type: 'exit', code: 7 });
      };
      const served = pathname.endsWith('/portforward') ? servePortForward({ request, socket, head }, { ports: [], dial }) : run();
      served.catch((error: unknown) => rejectUpgrade(socket, error));
    });
    server.listen(0, '127.0.0.1');
    await Promise.all([once(server, 'listening'), once(echo, 'listening')]);
  });
  afterAll(() => {
    server?.closeAllConnections();
    server?.close();
    echo?.close();
  });

  it.each([0, 6, 500_000])('exec -i of %i bytes ends with the output, the error stream and the exit code', async (size) => {
    const child = kubectl('exec', '-i', 'x', '--', 'cat');
    let out = '';
    let err = '';
    child.stdout.on('data', (d: Buffer) => (out += d.toString()));
    child.stderr.on('data', (d: Buffer) => (err += d.toString()));
    child.stdin.end('x'.repeat(size));
    expect(await once(child, 'close')).toEqual([7, null]);
    expect(out.length).toBe(size);
    expect(err).toBe('warning\ncommand terminated with exit code 7\n');
  });

  it('port-forward carries connections side by side', async () => {
    const child = kubectl('port-forward', 'pod/x', ':8080');
    try {
      let said = '';
      child.stdout.on('data', (d: Buffer) => (said += d.toString()));
      await expect.poll(() => said, { timeout: 10_000 }).toMatch(/127\.0\.0\.1:\d+/);
      const port = Number(/127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
      const echoed = async (size: number) => {
        const socket = createConnection({ port, host: '127.0.0.1' });
        let length = 0;
        socket.on('data', (d: Buffer) => (length += d.length));
        socket.end(Buffer.alloc(size, 'q'));
        await once(socket, 'close');
        return length;
      };
      expect(await Promise.all([echoed(10), echoed(400_000)])).toEqual([10, 400_000]);
    } finally {
      child.kill();
    }
  });
});

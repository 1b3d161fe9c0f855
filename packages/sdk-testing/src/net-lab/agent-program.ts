/**
 * What runs in each namespace of a lab: answers on ports, and asks others, as told by lines of JSON on standard input. One
 * process for all requests of a namespace, so that a request costs packets and not a process. Self-contained: it is sent as text.
 */
export function agentProgram(require: NodeJS.Require, name: string): void {
  const net = require('node:net') as typeof import('node:net');
  const dgram = require('node:dgram') as typeof import('node:dgram');
  const readline = require('node:readline') as typeof import('node:readline');
  interface Target {
    host: string;
    port: number;
    localPort?: number;
    timeoutMs: number;
  }
  const plain = (address: string | undefined) => (address ?? '').replace(/^::ffff:/, '');
  const kept = new Map<number, import('node:net').Socket>();
  const fail = (code: string) => Object.assign(new Error(code), { code });

  const serveTcp = (port: number) =>
    new Promise<string>((resolve, reject) => {
      const server = net.createServer((socket) => {
        socket.on('error', () => {});
        socket.write(`${name} ${plain(socket.remoteAddress)}`);
        // Whoever asks once ends its side at once; whoever stays gets an echo.
        socket.on('data', (chunk) => socket.write(chunk));
      });
      server.on('error', reject);
      server.listen(port, () => resolve('ready'));
    });
  const serveUdp = (port: number) =>
    new Promise<string>((resolve, reject) => {
      const socket = dgram.createSocket({ type: 'udp6', ipv6Only: false });
      socket.on('error', reject);
      socket.on('message', (_message, from) => socket.send(`${name} ${plain(from.address)}`, from.port, from.address));
      socket.bind(port, () => resolve('ready'));
    });
  const connect = ({ host, port, timeoutMs, localPort }: Target) =>
    new Promise<{ socket: import('node:net').Socket; text: string }>((resolve, reject) => {
      const socket = net.connect({ host, port, ...(localPort ? { localPort } : {}) });
      const timer = setTimeout(() => socket.destroy(fail('timeout')), timeoutMs);
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once('close', () => reject(fail('closed')));
      socket.once('data', (chunk) => {
        clearTimeout(timer);
        resolve({ socket, text: String(chunk) });
      });
    });
  const operations: Record<string, (args: Target & { id: number; udp?: boolean; key: number }) => Promise<string>> = {
    serve: async ({ port }) => {
      await serveTcp(port);
      return serveUdp(port);
    },
    tcp: async (args) => {
      const { socket, text } = await connect(args);
      socket.on('error', () => {});
      socket.destroy();
      return text;
    },
    keep: async (args) => {
      const { socket, text } = await connect(args);
      socket.on('error', () => {});
      kept.set(args.key, socket);
      return text;
    },
    talk: ({ key, timeoutMs }) =>
      new Promise((resolve, reject) => {
        const socket = kept.get(key);
        if (!socket) throw fail('nothing kept');
        const timer = setTimeout(() => reject(fail('timeout')), timeoutMs);
        socket.once('data', (chunk) => {
          clearTimeout(timer);
          resolve(String(chunk));
        });
        socket.write('hello');
      }),
    udp: ({ host, port, localPort, timeoutMs }) =>
      new Promise((resolve, reject) => {
        const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
        const timer = setTimeout(() => end(fail('timeout')), timeoutMs);
        const end = (error: Error | undefined, text = '') => {
          clearTimeout(timer);
          socket.close();
          if (error) reject(error);
          else resolve(text);
        };
        socket.once('error', end);
        socket.once('message', (message) => end(undefined, String(message)));
        // Connected, so that a refusal is heard of.
        socket.bind(localPort ?? 0, () => socket.connect(port, host, () => socket.send('x')));
      }),
  };
  readline.createInterface({ input: process.stdin }).on('line', (line) => {
    const args = JSON.parse(line);
    operations[args.op]?.(args).then(
      (ok) => process.stdout.write(`${JSON.stringify({ id: args.id, ok })}\n`),
      (error) => process.stdout.write(`${JSON.stringify({ id: args.id, error: error.code ?? error.message })}\n`),
    );
  });
  process.stdout.write('{"id":0,"ok":"started"}\n');
}

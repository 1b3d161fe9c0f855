import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Clock } from '@coxswain/sdk';
import type { DnsProtocol } from './forwarder.js';

export interface DnsListenerOptions {
  readonly address: string;
  /** The same for UDP and TCP; 0: any that is free for both. */
  readonly port: number;
  readonly clock: Clock;
  /** Undefined: no answer. Must not reject. */
  readonly respond: (message: Buffer, protocol: DnsProtocol) => Promise<Buffer | undefined>;
}

/** A TCP client may be silent for this long (RFC 7766 leaves it to us). */
const IDLE_MS = 10_000;
const MAX_CONNECTIONS = 1000;
const MAX_PIPELINED = 100;

/** DNS over UDP and TCP on one address and port. */
export class DnsListener {
  readonly #sockets = new Set<Socket>();
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;

  constructor(readonly options: DnsListenerOptions) {}

  get port(): number {
    return (this.#tcp?.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Rejects with a clear message when the port is taken. */
  async listen(): Promise<void> {
    const { address, port } = this.options;
    for (let attempt = 0; ; attempt++) {
      try {
        this.#tcp = await this.#listenTcp(port);
        this.#udp = await this.#listenUdp(this.port);
        return;
      } catch (error) {
        await this.close();
        const { code } = error as NodeJS.ErrnoException;
        // A free TCP port may be taken for UDP.
        if (port === 0 && code === 'EADDRINUSE' && attempt < 20) continue;
        const why = { EADDRINUSE: 'the port is in use', EADDRNOTAVAIL: 'this machine has no such address', EACCES: 'not permitted' }[code ?? ''];
        throw new Error(`cannot listen for DNS on ${address} port ${port}: ${why ?? (error as Error).message}`, { cause: error });
      }
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const [udp, tcp] = [this.#udp, this.#tcp];
    this.#udp = this.#tcp = undefined;
    await Promise.all([udp && new Promise<void>((resolve) => udp.close(() => resolve())), tcp && new Promise<void>((resolve) => tcp.close(() => resolve()))]);
  }

  #listenUdp(port: number): Promise<UdpSocket> {
    const { address, respond } = this.options;
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind(port, address, () => {
        socket.removeAllListeners('error');
        // An unreachable client is its own problem.
        socket.on('error', () => {});
        socket.on('message', (message, from) => {
          void respond(message, 'udp').then((answer) => {
            if (answer && this.#udp === socket) socket.send(answer, from.port, from.address);
          });
        });
        resolve(socket);
      });
    });
  }

  #listenTcp(port: number): Promise<Server> {
    const server = createServer((socket) => this.#serve(socket));
    server.maxConnections = MAX_CONNECTIONS;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, this.options.address, () => {
        server.removeListener('error', reject);
        resolve(server);
      });
    });
  }

  #serve(socket: Socket): void {
    const { clock, respond } = this.options;
    this.#sockets.add(socket);
    let received = Buffer.alloc(0);
    let open = 0;
    let cancelIdle = () => {};
    const idle = () => {
      cancelIdle();
      cancelIdle = clock.setTimeout(() => socket.destroy(), IDLE_MS);
    };
    idle();
    socket.on('error', () => {});
    socket.on('close', () => {
      cancelIdle();
      this.#sockets.delete(socket);
    });
    const take = () => {
      while (open < MAX_PIPELINED && received.length >= 2 && received.length >= received.readUInt16BE(0) + 2) {
        const end = received.readUInt16BE(0) + 2;
        const message = received.subarray(2, end);
        received = received.subarray(end);
        open++;
        void respond(message, 'tcp').then((answer) => {
          open--;
          if (socket.destroyed) return;
          if (!answer) return void socket.destroy();
          const length = Buffer.allocUnsafe(2);
          length.writeUInt16BE(answer.length, 0);
          socket.write(Buffer.concat([length, answer]));
          socket.resume();
          take();
        });
      }
      if (open >= MAX_PIPELINED) socket.pause();
    };
    socket.on('data', (chunk) => {
      idle();
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      take();
    });
  }
}

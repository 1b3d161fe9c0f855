import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Clock, type Component, defineComponent, type Logger } from '@coxswain/sdk';
import { Backend, type Endpoint, type HealthCheck, watchBackends } from './backends.js';

export interface LoadBalancerOptions {
  readonly listen: readonly Endpoint[];
  readonly backends: readonly Endpoint[];
  readonly check?: Partial<HealthCheck>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const CONNECT_TIMEOUT_MS = 1000;

/**
 * One address in front of several API servers. Connections are passed through as they are, TLS and all, in turn to the backends that are
 * healthy; one that does not take the connection is passed over. Connections to a backend that becomes unhealthy are cut, so that clients
 * come again and get another one: a host that is gone does not answer, and their watches would wait for ever.
 */
export function loadBalancer(options: LoadBalancerOptions): Component {
  const { clock, logger } = options;
  const check: HealthCheck = { path: '/readyz', intervalMs: 1000, timeoutMs: 1000, failures: 2, ...options.check };
  return defineComponent('load-balancer', async () => {
    const backends = options.backends.map((endpoint) => new Backend(endpoint, check));
    const stopping = new AbortController();
    let watching: Promise<void> = Promise.resolve();
    const servers: Server[] = [];
    const clients = new Set<Socket>();
    const turn = rotation(backends);
    const serve = (client: Socket) => {
      clients.add(client);
      client.once('close', () => clients.delete(client));
      client.on('error', () => {});
      void forward(client, turn(), logger);
    };
    const stop = async () => {
      stopping.abort();
      const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
      for (const client of clients) client.destroy();
      await Promise.all([...closed, watching]);
      for (const backend of backends) backend.close();
    };
    try {
      for (const { address, port } of options.listen) servers.push(await listen(address, port, serve));
    } catch (error) {
      await stop();
      throw error;
    }
    watching = watchBackends(backends, check, clock, logger, stopping.signal);
    return stop;
  });
}

function listen(address: string, port: number, serve: (client: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    // Paused until there is somebody to pass it on to: nothing a client says is lost.
    const server = createServer({ noDelay: true, pauseOnConnect: true }, serve);
    server.once('error', reject);
    server.listen(port, address, () => resolve(server));
  });
}

/** Healthy backends in turn, then, should all refuse, the others: what we believe of them may be old. */
function rotation(backends: readonly Backend[]): () => Backend[] {
  let next = 0;
  return () => {
    const from = next++ % Math.max(1, backends.length);
    const inTurn = [...backends.slice(from), ...backends.slice(0, from)];
    return [...inTurn.filter(({ healthy }) => healthy), ...inTurn.filter(({ healthy }) => !healthy)];
  };
}

async function forward(client: Socket, candidates: readonly Backend[], logger: Logger): Promise<void> {
  for (const backend of candidates) {
    const upstream = await open(backend);
    if (!upstream) continue;
    if (client.destroyed) return void upstream.destroy();
    backend.connections.add(upstream);
    upstream.once('close', () => {
      backend.connections.delete(upstream);
      client.destroy();
    });
    client.once('close', () => upstream.destroy());
    client.pipe(upstream);
    upstream.pipe(client);
    return;
  }
  logger.debug('no backend takes a connection', { backends: candidates.map(({ name }) => name) });
  client.destroy();
}

function open({ endpoint }: Backend): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: endpoint.address, port: endpoint.port, noDelay: true });
    const fail = () => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, fail);
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeListener('error', fail);
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

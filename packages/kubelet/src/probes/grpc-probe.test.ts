import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { systemClock } from '@coxswain/sdk';
import { afterEach, expect, it } from 'vitest';
import { grpcProbe } from './grpc-probe.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
});

/** A health service that serves the service `good` only. */
async function serve(): Promise<number> {
  const server = new Server();
  servers.push(server);
  const method = {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: (b: Buffer) => b,
    requestDeserialize: (b: Buffer) => b.subarray(2).toString(),
    responseSerialize: (code: number) => Buffer.from([8, code]),
    responseDeserialize: (b: Buffer) => b,
  };
  server.addService({ check: method } as never, {
    check: ({ request }: { request: string }, answer: (error: object | null, code?: number) => void) =>
      request === 'bad' ? answer(null, 2) : request === 'good' ? answer(null, 1) : answer({ code: status.NOT_FOUND, details: 'unknown service' }),
  });
  return new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))),
  );
}

it('asks for a service, and says what it heard', async () => {
  const port = await serve();
  const probe = (service: string) => grpcProbe('127.0.0.1', port, service, 5000, systemClock);
  expect(await probe('good')).toMatchObject({ outcome: 'success' });
  expect(await probe('bad')).toEqual({ outcome: 'failure', message: 'service unhealthy (responded with "NOT_SERVING")' });
  expect(await probe('other')).toEqual({ outcome: 'failure', message: 'error: health rpc probe failed: rpc error: code = NotFound desc = unknown service' });
});

it('tries to connect until its time is up', async () => {
  const port = await serve();
  servers.splice(0).forEach((server) => server.forceShutdown());
  expect(await grpcProbe('127.0.0.1', port, '', 300, systemClock)).toEqual({
    outcome: 'failure',
    message: `timeout: failed to connect service "127.0.0.1:${port}" within 0.3s: context deadline exceeded`,
  });
});

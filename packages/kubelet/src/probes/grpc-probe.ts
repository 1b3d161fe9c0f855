import { Client, credentials, status } from '@grpc/grpc-js';
import { rpcCodeName } from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';
import { grpcName } from '../runtime-errors.js';
import type { ProbeAnswer } from './http-probe.js';

const PATH = '/grpc.health.v1.Health/Check';
const STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** gRPC health checking protocol, one Check call. */
export function grpcProbe(host: string, port: number, service: string, timeoutMs: number, clock: Clock): Promise<ProbeAnswer> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.primary_user_agent': 'kube-probe/1.36',
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.min_reconnect_backoff_ms': 100,
  });
  const deadline = clock.now() + timeoutMs;
  return new Promise<ProbeAnswer>((resolve) => {
    // Connecting is tried again until the time is up, as a server that comes up answers late.
    client.waitForReady(deadline, (unreachable) => {
      if (unreachable)
        return resolve({
          outcome: 'failure',
          message: `timeout: failed to connect service "${address}" within ${timeoutMs / 1000}s: context deadline exceeded`,
        });
      client.makeUnaryRequest(
        PATH,
        (s: string) => encodeRequest(s),
        (b: Buffer) => decodeStatus(b),
        service,
        { deadline },
        (error, code) => {
          if (error) {
            if (error.code === status.UNIMPLEMENTED)
              resolve({
                outcome: 'failure',
                message: 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ' + error.details,
              });
            else if (error.code === status.DEADLINE_EXCEEDED)
              resolve({ outcome: 'failure', message: `timeout: health rpc did not complete within ${timeoutMs / 1000}s` });
            else
              resolve({
                outcome: 'failure',
                message: `error: health rpc probe failed: rpc error: code = ${grpcName(rpcCodeName(error.code))} desc = ${error.details}`,
              });
          } else if (code === 1) resolve({ outcome: 'success', message: 'service healthy' });
          else resolve({ outcome: 'failure', message: `service unhealthy (responded with "${STATUS[code ?? 0] ?? code}")` });
        },
      );
    });
  }).finally(() => client.close());
}

/** HealthCheckRequest { string service = 1 }. */
function encodeRequest(service: string): Buffer {
  const text = Buffer.from(service, 'utf8');
  if (text.length === 0) return Buffer.alloc(0);
  const length: number[] = [];
  for (let n = text.length; ; n >>>= 7) {
    if (n < 0x80) {
      length.push(n);
      break;
    }
    length.push((n & 0x7f) | 0x80);
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), text]);
}

/** HealthCheckResponse { ServingStatus status = 1 }. */
function decodeStatus(bytes: Buffer): number {
  return bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0;
}

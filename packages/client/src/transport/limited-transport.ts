import type { Clock } from '@coxswain/sdk';
import { BucketLimiter } from '../queue/rate-limiter.js';
import type { Transport, TransportRequest } from './transport.js';

/** Requests a second, after a burst. */
export interface RequestLimit {
  readonly qps: number;
  readonly burst: number;
}

/** The same transport, whose requests wait their turn (`--kube-api-qps`, `--kube-api-burst`), but those that `free` says do not count. */
export function limitedTransport(
  transport: Transport,
  { qps, burst }: RequestLimit,
  clock: Clock,
  free: (request: TransportRequest) => boolean = () => false,
): Transport {
  const bucket = new BucketLimiter<void>(clock, qps, burst);
  const turn = async (request: TransportRequest) => {
    if (free(request)) return;
    const { signal } = request;
    const ms = bucket.when();
    if (ms > 0) await clock.sleep(ms, signal);
  };
  const { upgrade, host } = transport;
  return {
    ...(host === undefined ? {} : { host }),
    request: async (request) => {
      await turn(request);
      return transport.request(request);
    },
    stream: async (request) => {
      await turn(request);
      return transport.stream(request);
    },
    ...(upgrade && {
      upgrade: async (request: TransportRequest) => {
        await turn(request);
        return upgrade.call(transport, request);
      },
    }),
    close: () => transport.close(),
  };
}

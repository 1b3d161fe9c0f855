import type { Transport, TransportRequest, TransportResponse, TransportStream } from '@coxswain/client';

/** The API server of a node that has none: nothing is ever answered, and who asks waits until asked to stop. */
export class StandaloneTransport implements Transport {
  request(request: TransportRequest): Promise<TransportResponse> {
    return silence(request);
  }

  stream(request: TransportRequest): Promise<TransportStream> {
    return silence(request);
  }

  async close(): Promise<void> {}
}

function silence<T>({ signal }: TransportRequest): Promise<T> {
  return new Promise((_resolve, reject) => {
    const stop = () => reject(signal?.reason as Error);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

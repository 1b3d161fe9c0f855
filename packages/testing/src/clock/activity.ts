import type { Transport } from '@coxswain/client';

/** Kinds of work Node has handed out and will come back from by itself; sockets and timers are not among them. */
const BUSY = new Set(['FSReqPromise', 'FSReqCallback', 'CloseReq', 'Immediate', 'GetAddrInfoReqWrap']);
/** Turns of the event loop without anything to do that count as quiet: what one turn queues, the next one shows. */
const QUIET_TURNS = 3;
/** Requests that are in flight this long (real milliseconds) with nothing going on wait for the clock or for somebody outside. */
const PATIENCE_MS = 50;

/**
 * What goes on in the cluster: requests to its API, files, and turns of the event loop. When all of it has come to rest, time may
 * move on: everything that was set off by what happened before has happened.
 */
export class Activity {
  #requests = 0;
  #count = 0;
  #settling: Promise<void> | undefined;

  /** The transport, with its requests seen. Streams are seen until they are open. */
  watched(transport: Transport): Transport {
    const seen = async <T>(work: Promise<T>): Promise<T> => {
      this.#requests++;
      this.#count++;
      try {
        return await work;
      } finally {
        this.#requests--;
      }
    };
    return { ...transport, request: (request) => seen(transport.request(request)), stream: (request) => seen(transport.stream(request)) };
  }

  /** Resolves once everything that can go on without the clock has come to rest. Calls that overlap share the wait: each alone would see the others at work. */
  settled(): Promise<void> {
    // Whoever joins late has the whole of it.
    this.#count++;
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  async #settle(): Promise<void> {
    let quiet = 0;
    let waitingSince: number | undefined;
    while (quiet < QUIET_TURNS) {
      const before = this.#count;
      await new Promise<void>((resolve) => setImmediate(resolve));
      const busy = before !== this.#count || process.getActiveResourcesInfo().some((kind) => BUSY.has(kind));
      if (busy) {
        quiet = 0;
        waitingSince = undefined;
      } else if (this.#requests > 0) {
        // Work in Node's thread pool that it does not list, such as signing a token.
        waitingSince ??= performance.now();
        if (performance.now() - waitingSince > PATIENCE_MS) return;
      } else quiet++;
    }
  }
}

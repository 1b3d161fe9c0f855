import type { WatchResponse } from '@coxswain/etcd-api';
import { CompactedError, InvalidStoreRequestError, StoreUnavailableError } from '@coxswain/sdk';
import type { EtcdMembers, Member } from './etcd-members.js';
import { PushQueue } from './push-queue.js';
import type { Watcher } from './watcher.js';

type Requests = Parameters<Member['watch']['watch']>[0] extends AsyncIterable<infer R> ? PushQueue<R> : never;

const MAX_RETRY_MS = 1000;
const CONNECT_MS = 5000;

/**
 * All watches of a store on one gRPC stream. When it breaks, it is opened again, on another member if need be, and every watch goes
 * on from the first revision it has not received: nothing is lost and nothing comes twice.
 */
export class WatchStream {
  readonly #watchers = new Map<bigint, Watcher>();
  readonly #ids = new Map<Watcher, bigint>();
  readonly #stop = new AbortController();
  /** Watches etcd has not answered yet, in the order they were asked for: a refusal carries no id. */
  #creating: bigint[] = [];
  #requests: Requests | undefined;
  #running = false;
  #lastId = 0n;

  constructor(readonly members: EtcdMembers) {}

  /** Have etcd send the watcher what comes from `watcher.next` on. No-op when it already does. */
  attach(watcher: Watcher): void {
    if (this.#stop.signal.aborted) {
      watcher.fail(new StoreUnavailableError('the store is closed'));
      return;
    }
    if (this.#ids.has(watcher)) return;
    // A new id each time, so that what is still under way for the old one is told apart.
    const id = ++this.#lastId;
    this.#watchers.set(id, watcher);
    this.#ids.set(watcher, id);
    if (this.#requests) this.#create(this.#requests, id, watcher);
    else void this.#run();
  }

  detach(watcher: Watcher): void {
    const id = this.#ids.get(watcher);
    if (id === undefined) return;
    this.#forget(id);
    this.#requests?.push({ requestUnion: { case: 'cancelRequest', value: { watchId: id } } });
  }

  close(): void {
    this.#stop.abort();
    for (const watcher of this.#watchers.values()) watcher.fail(new StoreUnavailableError('the store is closed'));
    this.#watchers.clear();
    this.#ids.clear();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { clock, logger } = this.members.options;
    let wait = 0;
    while (this.#watchers.size > 0 && !this.#stop.signal.aborted) {
      try {
        if (wait > 0) await clock.sleep(wait, this.#stop.signal);
        const member = await this.members.connected(CONNECT_MS, this.#stop.signal);
        await this.#follow(member, () => {
          wait = 0;
        });
      } catch (err) {
        if (!this.#stop.signal.aborted) logger?.warn('the watch stream to etcd broke; opening it again', { err });
      }
      wait = Math.min(Math.max(50, wait * 2), MAX_RETRY_MS);
    }
    this.#running = false;
  }

  async #follow(member: Member, answered: () => void): Promise<void> {
    const requests: Requests = new PushQueue();
    this.#creating = [];
    for (const [id, watcher] of this.#watchers) {
      watcher.restart();
      this.#create(requests, id, watcher);
    }
    this.#requests = requests;
    try {
      // A member that is cut off from the leader must end the stream rather than be silent on it.
      for await (const response of member.watch.watch(requests, { signal: this.#stop.signal, metadata: { hasleader: 'true' } })) {
        answered();
        this.#handle(response);
      }
      throw new StoreUnavailableError(`etcd at ${member.endpoint.url} ended the watch stream`);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.members.failed(member, error);
      throw error;
    } finally {
      this.#requests = undefined;
      requests.end();
    }
  }

  #create(requests: Requests, id: bigint, watcher: Watcher): void {
    this.#creating.push(id);
    const value = {
      ...watcher.asked,
      startRevision: BigInt(watcher.next),
      prevKv: watcher.options.prevKv,
      watchId: id,
      progressNotify: true,
      fragment: true,
    };
    requests.push({ requestUnion: { case: 'createRequest', value } });
  }

  #handle(response: WatchResponse): void {
    const asked = response.created ? this.#creating.shift() : undefined;
    const id = asked ?? response.watchId;
    const watcher = this.#watchers.get(id);
    if (!watcher) return;
    if (response.canceled) {
      this.#forget(id);
      watcher.fail(
        response.compactRevision > 0n
          ? new CompactedError(watcher.next, Number(response.compactRevision))
          : new InvalidStoreRequestError(`etcd refused the watch: ${response.cancelReason || 'no reason given'}`),
      );
      return;
    }
    if (response.created) return;
    if (response.events.length === 0 && !response.fragment) {
      if (response.watchId === id) watcher.progress(Number(response.header?.revision ?? 0n));
    } else watcher.receive(response.events, !response.fragment);
    if (watcher.overflowing) this.detach(watcher);
  }

  #forget(id: bigint): void {
    const watcher = this.#watchers.get(id);
    this.#watchers.delete(id);
    if (watcher && this.#ids.get(watcher) === id) this.#ids.delete(watcher);
  }
}

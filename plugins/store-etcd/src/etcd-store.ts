import type { CallOptions } from '@coxswain/cri';
import { AlarmType, EtcdError } from '@coxswain/etcd-api';
import type {
  KeyRange,
  LeaseId,
  LeaseStatus,
  Random,
  RangeOptions,
  RangeResult,
  Revision,
  StateStore,
  StoreStatus,
  Txn,
  TxnResult,
  WatchBatch,
  WatchRequest,
} from '@coxswain/sdk';
import { CompactedError, FutureRevisionError, LeaseNotFoundError, StoreError, StoreUnavailableError } from '@coxswain/sdk';
import { Converter } from './convert.js';
import type { EtcdMembers, Member } from './etcd-members.js';
import { KeySpace } from './key-space.js';
import { LeaseIds } from './lease-ids.js';
import { translateError } from './translate-error.js';
import { Watcher } from './watcher.js';
import { WatchStream } from './watch-stream.js';

const DEFRAGMENT_TIMEOUT_MS = 10 * 60_000;

/** A key that no one writes, to ask about revisions with. */
const NOTHING: KeyRange = { key: '\0coxswain' };

/** See `StateStore` for the contract, and the README for what etcd makes of it. */
export class EtcdStore implements StateStore {
  readonly #convert: Converter;
  readonly #leases: LeaseIds;
  readonly #stream: WatchStream;
  /** Watches "from now on" whose now is being asked for; writes wait for it, so that they are seen. */
  readonly #beginning = new Set<Promise<Revision>>();
  #lastStatus: StoreStatus = { revision: 1, compactRevision: 0, sizeBytes: 0, healthy: false };

  constructor(
    readonly members: EtcdMembers,
    options: { readonly prefix: string; readonly random: Random },
  ) {
    this.#leases = new LeaseIds(options.random);
    this.#convert = new Converter(new KeySpace(options.prefix), this.#leases);
    this.#stream = new WatchStream(members);
  }

  async range(range: KeyRange, options: RangeOptions = {}, signal?: AbortSignal): Promise<RangeResult> {
    try {
      const request = this.#convert.rangeRequest(range, options);
      const response = await this.members.request((member, call) => member.kv.range(request, call), { repeatable: true, signal });
      return this.#convert.rangeResult(response);
    } catch (error) {
      throw await this.#revisionError(error, options.revision);
    }
  }

  async txn(txn: Txn, signal?: AbortSignal): Promise<TxnResult> {
    if (this.#beginning.size > 0) await Promise.allSettled(this.#beginning);
    const request = {
      compare: txn.compare.map((c) => this.#convert.compare(c)),
      success: txn.success.map((op) => this.#convert.op(op)),
      failure: (txn.failure ?? []).map((op) => this.#convert.op(op)),
    };
    const ops = [...txn.success, ...(txn.failure ?? [])];
    const repeatable = ops.every((op) => op.type === 'range');
    try {
      const response = await this.members.request((member, call) => member.kv.txn(request, call), { repeatable, signal });
      const ran = response.succeeded ? txn.success : (txn.failure ?? []);
      return {
        succeeded: response.succeeded,
        revision: Number(response.header?.revision ?? 0n),
        results: ran.map((op, i) => this.#convert.opResult(op, response.responses[i] as (typeof response.responses)[number])),
      };
    } catch (error) {
      if (EtcdError.reasonOf(error) === 'leaseNotFound') {
        throw new LeaseNotFoundError(ops.map((op) => (op.type === 'put' ? (op.lease ?? 0) : 0)).find((lease) => lease !== 0) ?? 0);
      }
      throw await this.#revisionError(
        error,
        ops.map((op) => (op.type === 'range' ? op.options?.revision : undefined)).find((r) => r !== undefined),
      );
    }
  }

  watch(request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchBatch> {
    if (signal.aborted) return nothing();
    let start: Promise<Revision> | undefined;
    if (request.startRevision === undefined) {
      start = this.#revision(signal).then((revision) => revision + 1);
      this.#beginning.add(start);
      const begun = () => this.#beginning.delete(start as Promise<Revision>);
      start.then(begun, begun);
    }
    return this.#watch(request, start, signal);
  }

  async *#watch(request: WatchRequest, beginning: Promise<Revision> | undefined, signal: AbortSignal): AsyncGenerator<WatchBatch> {
    let watcher: Watcher;
    try {
      const start = (await beginning) ?? request.startRevision ?? 1;
      const progressFrom = request.progressNotify ? { progressFrom: beginning ? start - 1 : await this.#revision(signal) } : {};
      watcher = new Watcher({ range: request.range, prevKv: request.prevKv === true, start, ...progressFrom }, this.#convert);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const onAbort = () => watcher.end();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!signal.aborted) {
        const batch = watcher.take();
        if (batch === undefined) return;
        if (batch === 'idle') {
          // Only a watch that is being read is on the stream: one that nobody reads holds nothing, and resumes from history.
          const changed = watcher.changed();
          this.#stream.attach(watcher);
          await changed;
        } else yield batch;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#stream.detach(watcher);
    }
  }

  async compact(revision: Revision): Promise<void> {
    try {
      await this.members.request((member, call) => member.kv.compact({ revision: BigInt(revision) }, call), { repeatable: false });
    } catch (error) {
      throw await this.#revisionError(error, revision);
    }
  }

  async leaseGrant(ttlSeconds: number, id: LeaseId = this.#leases.fresh()): Promise<LeaseStatus> {
    try {
      const request = { TTL: BigInt(ttlSeconds), ID: this.#leases.toEtcd(id) };
      const response = await this.members.request((member, call) => member.lease.leaseGrant(request, call), { repeatable: false });
      const ttl = Number(response.TTL);
      return { id, grantedTtlSeconds: ttl, remainingTtlSeconds: ttl, keys: [] };
    } catch (error) {
      throw EtcdError.reasonOf(error) === 'leaseExists' ? new StoreError('lease-exists', `lease ${id} already exists`, { cause: error }) : error;
    }
  }

  async leaseKeepAlive(id: LeaseId): Promise<LeaseStatus> {
    const request = { ID: this.#leases.toEtcd(id) };
    const renewed = await this.members.request((member, call) => renew(member, request, call), { repeatable: true });
    if (renewed <= 0) throw new LeaseNotFoundError(id);
    return { ...(await this.leaseStatus(id)), remainingTtlSeconds: renewed };
  }

  async leaseRevoke(id: LeaseId): Promise<void> {
    if (this.#beginning.size > 0) await Promise.allSettled(this.#beginning);
    try {
      await this.members.request((member, call) => member.lease.leaseRevoke({ ID: this.#leases.toEtcd(id) }, call), { repeatable: false });
    } catch (error) {
      throw this.#leaseError(error, id);
    }
  }

  async leaseStatus(id: LeaseId): Promise<LeaseStatus> {
    const request = { ID: this.#leases.toEtcd(id), keys: true };
    try {
      const found = await this.members.request((member, call) => member.lease.leaseTimeToLive(request, call), { repeatable: true });
      const keys = found.keys.map((key) => this.#convert.keys.toKey(key)).sort();
      return { id, grantedTtlSeconds: Number(found.grantedTTL), remainingTtlSeconds: Number(found.TTL), keys };
    } catch (error) {
      if (EtcdError.reasonOf(error) === 'leaseNotFound') return { id, grantedTtlSeconds: 0, remainingTtlSeconds: -1, keys: [] };
      throw error;
    }
  }

  async leases(): Promise<readonly LeaseId[]> {
    const { leases } = await this.members.request((member, call) => member.lease.leaseLeases({}, call), { repeatable: true });
    return leases.map(({ ID }) => this.#leases.fromEtcd(ID));
  }

  async status(): Promise<StoreStatus> {
    try {
      const revision = await this.#revision();
      const [size, compactRevision, alarms] = await Promise.all([
        this.members.request((member, call) => member.maintenance.status({}, call), { repeatable: true }),
        this.#compactRevision(),
        this.members.request((member, call) => member.maintenance.alarm({}, call), { repeatable: true }),
      ]);
      const raised = new Set(alarms.alarms.map(({ alarm }) => AlarmType[alarm]));
      const base = { revision, compactRevision, sizeBytes: Number(size.dbSize) };
      this.#lastStatus =
        raised.size === 0 ? { ...base, healthy: true } : { ...base, healthy: false, message: `etcd raised the alarm ${[...raised].join(', ')}` };
      return this.#lastStatus;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || this.members.closed) throw error;
      return { ...this.#lastStatus, healthy: false, message: error.message };
    }
  }

  async *snapshot(signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const member = await this.members.connected(this.members.options.requestTimeoutMs, signal);
    try {
      for await (const { blob } of member.maintenance.snapshot({}, signal ? { signal } : {})) yield blob;
    } catch (error) {
      throw signal?.aborted ? signal.reason : translateError(error, member.endpoint.url);
    }
  }

  /** Each member in turn: one that is at it answers nothing else. */
  async defragment(): Promise<void> {
    for (const member of this.members.all) {
      try {
        await member.maintenance.defragment({}, { timeoutMs: DEFRAGMENT_TIMEOUT_MS });
      } catch (error) {
        throw translateError(error, member.endpoint.url);
      }
    }
  }

  async close(): Promise<void> {
    this.#stream.close();
    this.members.close();
  }

  /** The newest revision, by a read that goes through the quorum. */
  async #revision(signal?: AbortSignal): Promise<Revision> {
    return (await this.range(NOTHING, { countOnly: true }, signal)).revision;
  }

  /** etcd tells it only to those who ask for too old a revision, and its number only to watchers. */
  async #compactRevision(): Promise<Revision> {
    const known = this.#lastStatus.compactRevision;
    const oldest = Math.max(1, known);
    const request = this.#convert.rangeRequest(NOTHING, { revision: oldest, countOnly: true });
    try {
      await this.members.request((member, call) => member.kv.range(request, call), { repeatable: true });
      return known;
    } catch (error) {
      if (EtcdError.reasonOf(error) !== 'compacted') throw error;
      return this.#askCompactRevision();
    }
  }

  async #askCompactRevision(): Promise<Revision> {
    const { clock, requestTimeoutMs } = this.members.options;
    const enough = new AbortController();
    const cancel = clock.setTimeout(() => enough.abort(), requestTimeoutMs);
    try {
      for await (const _ of this.#watch({ range: NOTHING, startRevision: 1 }, undefined, enough.signal));
    } catch (error) {
      if (error instanceof CompactedError) return error.compactRevision;
      throw error;
    } finally {
      cancel();
    }
    throw new StoreUnavailableError('etcd did not say in time from which revision on it can be read');
  }

  async #revisionError(error: unknown, requested = 0): Promise<unknown> {
    switch (EtcdError.reasonOf(error)) {
      case 'compacted':
        return new CompactedError(requested, await this.#askCompactRevision());
      case 'futureRevision':
        return new FutureRevisionError(requested, await this.#revision());
      default:
        return error;
    }
  }

  #leaseError(error: unknown, id: LeaseId): unknown {
    return EtcdError.reasonOf(error) === 'leaseNotFound' ? new LeaseNotFoundError(id) : error;
  }
}

async function renew(member: Member, request: { readonly ID: bigint }, call: CallOptions): Promise<number> {
  for await (const { TTL } of member.lease.leaseKeepAlive(once(request), call)) return Number(TTL);
  return 0;
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}

async function* nothing(): AsyncGenerator<never> {}

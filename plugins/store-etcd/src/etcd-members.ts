import { type CallOptions, type RpcClient, rpcClient } from '@coxswain/cri';
import { KV, Lease, Maintenance, Watch } from '@coxswain/etcd-api';
import type { Clock, Logger } from '@coxswain/sdk';
import { StoreUnavailableError } from '@coxswain/sdk';
import { Client, connectivityState, credentials } from '@grpc/grpc-js';
import { explainEndpoint } from './explain-endpoint.js';
import type { Endpoint } from './parse-endpoint.js';
import type { TlsMaterial } from './tls-files.js';
import { isUnavailable, neverBegun, translateError } from './translate-error.js';

/** One member of the cluster and its services. */
export interface Member {
  readonly endpoint: Endpoint;
  readonly connection: Client;
  readonly kv: RpcClient<typeof KV>;
  readonly watch: RpcClient<typeof Watch>;
  readonly lease: RpcClient<typeof Lease>;
  readonly maintenance: RpcClient<typeof Maintenance>;
}

export interface EtcdMembersOptions {
  readonly endpoints: readonly Endpoint[];
  readonly tls: TlsMaterial;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly logger?: Logger;
}

export interface RequestOptions {
  /** It changes nothing, or may happen twice: repeated on another member when the first fails midway. */
  readonly repeatable: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Instead of the default. */
  readonly timeoutMs?: number;
}

const RETRY_MS = 100;

/**
 * The members behind the endpoints. All requests go to one of them until it fails: what one request has seen, the next sees too, on
 * the watch stream as well. Then the next one is taken.
 */
export class EtcdMembers {
  readonly #members: readonly Member[];
  #current = 0;
  #closed = false;

  constructor(readonly options: EtcdMembersOptions) {
    this.#members = options.endpoints.map((endpoint) => connect(endpoint, options.tls));
  }

  get all(): readonly Member[] {
    return this.#members;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Of many requests that fail together on one member, the first moves on and the others follow. */
  failed(member: Member, why: unknown): void {
    if (this.#members[this.#current] !== member || this.#closed) return;
    this.#current = (this.#current + 1) % this.#members.length;
    this.options.logger?.warn('an etcd member failed', { endpoint: member.endpoint.url, next: this.#members[this.#current]?.endpoint.url, err: why });
  }

  /** Run one request, on other members too where that is harmless. Rejects with `StoreError`s, or with the signal's reason. */
  async request<T>(run: (member: Member, options: CallOptions) => Promise<T>, options: RequestOptions): Promise<T> {
    const { clock } = this.options;
    const { repeatable, signal } = options;
    const patience = options.timeoutMs ?? this.options.requestTimeoutMs;
    const giveUp = clock.monotonic() + patience;
    for (;;) {
      const member = await this.connected(giveUp - clock.monotonic(), signal);
      const left = giveUp - clock.monotonic();
      // A member that hangs must leave a repeatable request the time to be asked of another one.
      const timeoutMs = Math.max(1, Math.ceil(repeatable && this.#members.length > 1 ? Math.min(left, patience / 2) : left));
      try {
        return await run(member, { timeoutMs, ...(signal ? { signal } : {}) });
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        this.#assertOpen();
        if (isUnavailable(error)) {
          this.failed(member, error);
          if ((repeatable || neverBegun(error)) && giveUp - clock.monotonic() > RETRY_MS) {
            await clock.sleep(RETRY_MS / 5, signal);
            continue;
          }
        }
        throw translateError(error, member.endpoint.url);
      }
    }
  }

  /** A member with a connection. Rejects with `StoreUnavailableError`, saying of each endpoint what is wrong with it. */
  async connected(patienceMs: number, signal?: AbortSignal): Promise<Member> {
    const { clock, tls } = this.options;
    const giveUp = clock.monotonic() + patienceMs;
    for (;;) {
      for (let i = 0; i < this.#members.length; i++) {
        this.#assertOpen();
        signal?.throwIfAborted();
        const member = this.#members[this.#current] as Member;
        const left = giveUp - clock.monotonic();
        if (await isReady(member.connection, Math.max(1, left / this.#members.length), clock)) return member;
        if (this.#members[this.#current] === member) this.#current = (this.#current + 1) % this.#members.length;
      }
      if (giveUp - clock.monotonic() <= RETRY_MS) break;
      await clock.sleep(RETRY_MS, signal);
    }
    this.#assertOpen();
    const reasons = await Promise.all(
      this.#members.map(async ({ endpoint }) => `${endpoint.url}: ${(await explainEndpoint(endpoint, tls)) ?? 'it is only just answering'}`),
    );
    throw new StoreUnavailableError(`cannot reach etcd; ${reasons.join('; ')}`);
  }

  close(): void {
    this.#closed = true;
    for (const member of this.#members) member.connection.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreUnavailableError('the store is closed');
  }
}

/** Resolves true once connected; false when the attempt failed or took too long. */
async function isReady(connection: Client, patienceMs: number, clock: Clock): Promise<boolean> {
  const channel = connection.getChannel();
  const deadline = clock.now() + patienceMs;
  for (;;) {
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) return true;
    if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) return false;
    const changed = await new Promise<boolean>((resolve) => channel.watchConnectivityState(state, deadline, (error) => resolve(!error)));
    if (!changed) return false;
  }
}

function connect(endpoint: Endpoint, tls: TlsMaterial): Member {
  const security = endpoint.secure ? credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null) : credentials.createInsecure();
  const connection = new Client(endpoint.target, security, {
    // Ranges of a whole registry in one answer: etcd sets no limit either.
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.min_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    // A peer that vanished without a word is noticed; etcd allows one ping in 5 s.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5000,
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    ...('path' in endpoint.address ? { 'grpc.default_authority': 'localhost' } : {}),
  });
  return {
    endpoint,
    connection,
    // A member that knows of no leader says so at once instead of holding the request until it times out.
    kv: rpcClient(KV, connection, { metadata: { hasleader: 'true' } }),
    watch: rpcClient(Watch, connection),
    lease: rpcClient(Lease, connection),
    maintenance: rpcClient(Maintenance, connection),
  };
}

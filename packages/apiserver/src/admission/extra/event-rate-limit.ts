import { ApiError } from '@coxswain/apimachinery';
import type { AdmissionPlugin, AdmissionRequest, Clock } from '@coxswain/sdk';
import { LRUCache } from 'lru-cache';
import type { AdmissionEnv } from '../admission-env.js';
import { AdmissionOrder } from '../order.js';

const TYPES = ['Server', 'Namespace', 'User', 'SourceAndObject'] as const;

export interface EventLimit {
  readonly type: (typeof TYPES)[number];
  /** Events a second, and how many at once after a quiet time. */
  readonly qps: number;
  readonly burst: number;
  /** How many keys (namespaces, users, …) are kept in mind. */
  readonly cacheSize: number;
}

const DEFAULT_CACHE_SIZE = 4096;

/** A Configuration of eventratelimit.admission.k8s.io/v1alpha1. Throws with what is wrong. */
export function parseEventLimits(config: Readonly<Record<string, unknown>>): readonly EventLimit[] {
  if (config.kind !== 'Configuration' || config.apiVersion !== 'eventratelimit.admission.k8s.io/v1alpha1')
    throw new Error('not a Configuration of eventratelimit.admission.k8s.io/v1alpha1');
  const limits = (config.limits ?? []) as readonly Partial<EventLimit>[];
  if (limits.length === 0) throw new Error('limits: Invalid value: must not be empty');
  return limits.map(({ type, qps, burst, cacheSize }, i) => {
    const positive = (name: string, value: unknown): number => {
      if (typeof value !== 'number' || !Number.isInteger(value) || value <= 0)
        throw new Error(`limits[${i}].${name}: Invalid value: ${String(value)}: must be positive`);
      return value;
    };
    if (!TYPES.includes(type as EventLimit['type']))
      throw new Error(
        `limits[${i}].type: Unsupported value: ${JSON.stringify(type)}: supported values: ${TYPES.map((each) => JSON.stringify(each)).join(', ')}`,
      );
    return {
      type: type as EventLimit['type'],
      qps: positive('qps', qps),
      burst: positive('burst', burst),
      cacheSize: cacheSize === undefined || cacheSize === 0 ? DEFAULT_CACHE_SIZE : positive('cacheSize', cacheSize),
    };
  });
}

/** Events beyond a rate are refused, so that a component gone wild does not fill the store. */
export function eventRateLimit({ clock }: AdmissionEnv, limits: readonly EventLimit[] = []): AdmissionPlugin {
  const enforcers = limits.map((limit) => ({ limit, buckets: new LRUCache<string, Bucket>({ max: limit.type === 'Server' ? 1 : limit.cacheSize }) }));
  return {
    name: 'EventRateLimit',
    order: AdmissionOrder.eventRateLimit,
    handles: ({ operation, kind, dryRun }) => (operation === 'CREATE' || operation === 'UPDATE') && kind.group === '' && kind.kind === 'Event' && !dryRun,
    validate(request) {
      const reached = enforcers.flatMap(({ limit, buckets }) => {
        const key = keyOf(limit.type, request);
        let bucket = buckets.get(key);
        if (!bucket) buckets.set(key, (bucket = new Bucket(limit, clock)));
        return bucket.take() ? [] : [`limit reached on type ${limit.type} for key ${key}`];
      });
      if (reached.length > 0) throw ApiError.tooManyRequests(reached.length === 1 ? (reached[0] as string) : `[${reached.join(', ')}]`, 0);
    },
  };
}

function keyOf(type: EventLimit['type'], { namespace, user, object }: AdmissionRequest): string {
  switch (type) {
    case 'Server':
      return '';
    case 'Namespace':
      return namespace;
    case 'User':
      return user.name;
    case 'SourceAndObject': {
      const source = (object?.source ?? {}) as { component?: string; host?: string };
      const of = (object?.involvedObject ?? {}) as Readonly<Record<string, string>>;
      return [source.component, source.host, of.kind, of.namespace, of.name, of.uid, of.apiVersion].map((part) => part ?? '').join('');
    }
  }
}

class Bucket {
  #tokens: number;
  #at: number;

  constructor(
    readonly limit: EventLimit,
    readonly clock: Clock,
  ) {
    this.#tokens = limit.burst;
    this.#at = clock.monotonic();
  }

  take(): boolean {
    const now = this.clock.monotonic();
    this.#tokens = Math.min(this.limit.burst, this.#tokens + ((now - this.#at) / 1000) * this.limit.qps);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

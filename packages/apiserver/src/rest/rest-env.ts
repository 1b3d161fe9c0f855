import type { StrategyContext } from '@coxswain/api';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import type { AdmissionChain } from '../admission/admission-chain.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import type { LeasePool } from '../storage/lease-pool.js';
import type { StoreFeed } from '../storage/store-feed.js';
import type { RequestContext } from '../request/request-context.js';
import type { ResourceHooks } from './resource-hooks.js';

/** What every verb needs. */
export interface RestEnv {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly feed: StoreFeed;
  readonly registry: ResourceRegistry;
  readonly admission: AdmissionChain;
  /** For resources that expire: events. */
  readonly eventLeases: LeasePool;
  /** Rules of single resources beyond their strategy, by `resource.group`. */
  readonly hooks: ReadonlyMap<string, ResourceHooks>;
  /** A watch whose client names no time ends after this many seconds, or up to twice as many. Default 1800. */
  readonly minWatchSeconds?: number;
  /** Where events that a watch sends are counted. */
  watchCounter?(context: RequestContext): (events: number) => void;
  /** Throws 403 when the user may not do this besides what the request asks for. */
  authorize(context: RequestContext, verb: string): Promise<void>;
}

/** What a strategy may know of a write. */
export function strategyContext(env: RestEnv, { user }: RequestContext, now: number): StrategyContext {
  return { now, random: () => env.random.next(), user };
}

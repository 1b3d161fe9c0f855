import type { KubeObject } from '@coxswain/api';
import type { Transport } from '@coxswain/client';
import type { Clock, Logger, UserInfo } from '@coxswain/sdk';
import type { ResourceCache } from '../storage/resource-cache.js';
import { queryInteger } from '../request/query.js';
import type { RequestInfo, ResourceInfo } from '../request/request-info.js';
import { listSeats } from './list-seats.js';
import { ruleMatches } from './flow-rules.js';
import type { FlowRule } from './flow-rules.js';
import { SeatPool } from './seat-pool.js';
import type { LevelSettings } from './seat-pool.js';

/** Which flow and level a request belongs to. */
export interface Classified {
  readonly level: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly by: string | undefined;
}

export interface FlowControlOptions {
  readonly schemas: ResourceCache;
  readonly levels: ResourceCache;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0: requests are classified, and none has to wait. */
  readonly totalSeats: number;
  /** What a list would be of; undefined when another server answers it. */
  readonly sizeOf: (resource: ResourceInfo) => { readonly objects: number; readonly averageBytes: number } | undefined;
}

interface Spec {
  readonly matchingPrecedence?: number;
  readonly priorityLevelConfiguration?: { readonly name?: string };
  readonly distinguisherMethod?: { readonly type?: string } | null;
  readonly rules?: readonly FlowRule[];
}

const MAX_REMEMBERED = 2000;
const SCHEMAS = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas';

/** Priority and fairness: requests are sorted into flows and levels by the FlowSchemas, and wait for a seat of their level. */
export class FlowControl {
  readonly pool: SeatPool;
  #schemas: readonly KubeObject[] | undefined;
  #known = new WeakMap<UserInfo, Map<string, Classified | null>>();
  #unlisten: (() => void)[] = [];

  constructor(readonly options: FlowControlOptions) {
    this.pool = new SeatPool(options.totalSeats, options.clock);
    const changed = () => {
      this.#schemas = undefined;
    };
    this.#unlisten = [options.schemas.onEvent(changed), options.levels.onEvent(changed)];
  }

  /** Keeps the `Dangling` condition of FlowSchemas right. */
  maintain(transport: Transport): void {
    const check = () => {
      for (const { object } of this.options.schemas.all()) {
        const condition = this.#dangling(object);
        const current = ((object.status?.conditions ?? []) as { type?: string; status?: string }[]).find(({ type }) => type === 'Dangling');
        if (current?.status === condition.status) continue;
        const body = JSON.stringify({ status: { conditions: [condition] } });
        const headers = { 'content-type': 'application/strategic-merge-patch+json', 'user-agent': 'apf' };
        transport.request({ method: 'PATCH', path: `${SCHEMAS}/${object.metadata.name}/status`, headers, body }).catch((err: unknown) => {
          this.options.logger.warn('the status of a flow schema was not written', { err });
        });
      }
    };
    let due = false;
    const soon = () => {
      if (due) return;
      due = true;
      queueMicrotask(() => {
        due = false;
        check();
      });
    };
    this.#unlisten.push(this.options.schemas.onEvent(soon), this.options.levels.onEvent(soon));
    soon();
  }

  close(): void {
    for (const undo of this.#unlisten.splice(0)) undo();
  }

  classify(user: UserInfo, info: RequestInfo): Classified | undefined {
    if (!this.#schemas) this.#reload();
    let known = this.#known.get(user);
    if (!known) this.#known.set(user, (known = new Map()));
    const { resource } = info;
    const key = resource ? `${info.verb} ${resource.group}/${resource.resource}/${resource.subresource} ${resource.namespace}` : `${info.verb} ${info.path}`;
    let found = known.get(key);
    if (found === undefined) {
      found = this.#match(user, info) ?? null;
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(key, found);
    }
    return found ?? undefined;
  }

  /** How many seats a request takes: lists by what they answer, all else one. */
  seats({ level }: Classified, { verb, resource }: RequestInfo, query: URLSearchParams): number {
    if (verb !== 'list' || !resource || this.pool.total === 0) return 1;
    const size = this.options.sizeOf(resource);
    if (!size) return 1;
    const limit = query.size > 0 ? limitOf(query) : 0;
    return limit === undefined
      ? this.pool.mostSeats(level)
      : Math.min(this.pool.mostSeats(level), listSeats({ ...size, limit: limit || undefined, single: resource.name !== '' }));
  }

  /** As `SeatPool.enter`. */
  enter(classified: Classified, user: UserInfo, info: RequestInfo, seats: number): Promise<void> | undefined {
    const flow = classified.by === 'ByUser' ? user.name : classified.by === 'ByNamespace' ? (info.resource?.namespace ?? '') : '';
    return this.pool.enter(classified.level, `${classified.headers['X-Kubernetes-PF-FlowSchema-UID']}/${flow}`, seats);
  }

  #match(user: UserInfo, info: RequestInfo): Classified | undefined {
    for (const schema of this.#schemas ?? []) {
      const { rules = [], priorityLevelConfiguration, distinguisherMethod } = schema.spec as Spec;
      if (!rules.some((rule) => ruleMatches(rule, user, info))) continue;
      const level = this.options.levels.get('', priorityLevelConfiguration?.name ?? '')?.object;
      if (!level) continue;
      return {
        level: level.metadata.name ?? '',
        by: distinguisherMethod?.type,
        headers: { 'X-Kubernetes-PF-FlowSchema-UID': schema.metadata.uid ?? '', 'X-Kubernetes-PF-PriorityLevel-UID': level.metadata.uid ?? '' },
      };
    }
    return undefined;
  }

  #reload(): void {
    const precedence = (schema: KubeObject) => (schema.spec as Spec | undefined)?.matchingPrecedence ?? 1000;
    this.#schemas = this.options.schemas
      .all()
      .map(({ object }) => object)
      .filter(({ spec }) => spec !== undefined)
      .sort((a, b) => precedence(a) - precedence(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
    this.#known = new WeakMap();
    this.pool.configure(this.options.levels.all().map(({ object }) => settingsOf(object)));
  }

  #dangling(schema: KubeObject) {
    const level = (schema.spec as Spec | undefined)?.priorityLevelConfiguration?.name ?? '';
    const found = this.options.levels.get('', level) !== undefined;
    const lastTransitionTime = new Date(this.options.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const about = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
    return found
      ? { type: 'Dangling', status: 'False', reason: 'Found', message: `${about} and it exists`, lastTransitionTime }
      : { type: 'Dangling', status: 'True', reason: 'NotFound', message: `${about} but there is no such object`, lastTransitionTime };
  }
}

/** Undefined: no number; the request is going to fail. */
function limitOf(query: URLSearchParams): number | undefined {
  try {
    return queryInteger(query, 'limit') ?? 0;
  } catch {
    return undefined;
  }
}

function settingsOf({ metadata, spec }: KubeObject): LevelSettings {
  const limited = (spec?.limited ?? spec?.exempt ?? {}) as {
    nominalConcurrencyShares?: number;
    lendablePercent?: number;
    limitResponse?: { type?: string; queuing?: { queues?: number; handSize?: number; queueLengthLimit?: number } };
  };
  const { type, queuing = {} } = limited.limitResponse ?? {};
  const { queues = 64, handSize = 8, queueLengthLimit = 50 } = queuing;
  return {
    name: metadata.name ?? '',
    exempt: spec?.type === 'Exempt',
    shares: limited.nominalConcurrencyShares ?? 30,
    lendablePercent: limited.lendablePercent ?? 0,
    ...(type === 'Queue' ? { queuing: { queues, handSize, queueLengthLimit } } : {}),
  };
}

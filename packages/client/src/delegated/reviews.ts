import { createHash } from 'node:crypto';
import type { Clock } from '@coxswain/sdk';
import type { NonResourceAttributes, ResourceAttributes } from '@coxswain/api';
import type { KubeClient } from '../rest/kube-client.js';

/** Who asks, as the API server knows them. */
export interface RequestUser {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export type ReviewAttributes = { readonly resourceAttributes: ResourceAttributes } | { readonly nonResourceAttributes: NonResourceAttributes };

export interface Verdict {
  readonly allowed: boolean;
  readonly reason: string;
}

/** How long answers hold; upstream's defaults for components. */
export interface ReviewTimes {
  readonly tokenMs: number;
  readonly allowedMs: number;
  readonly deniedMs: number;
}

const componentTimes: ReviewTimes = { tokenMs: 10_000, allowedMs: 10_000, deniedMs: 10_000 };
const MAX_REMEMBERED = 1000;

/** Asks the API server whose a bearer token is (TokenReview), and remembers the answer for a while. */
export class TokenReviewer {
  readonly #known: Remembered<RequestUser | undefined>;

  constructor(
    private readonly client: KubeClient,
    clock: Clock,
    private readonly times: ReviewTimes = componentTimes,
  ) {
    this.#known = new Remembered(clock);
  }

  /** Undefined: nobody's. Rejects when the API server cannot be asked. */
  async user(token: string): Promise<RequestUser | undefined> {
    const key = createHash('sha256').update(token).digest('base64');
    return this.#known.get(key, async () => {
      const answer = await this.client.api
        .tokenReviews()
        .create({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec: { token } });
      const u = answer.status?.authenticated ? answer.status.user : undefined;
      const user = u && { name: u.username ?? '', groups: u.groups ?? [], ...(u.uid ? { uid: u.uid } : {}), ...(u.extra ? { extra: u.extra } : {}) };
      return { value: user, forMs: this.times.tokenMs };
    });
  }
}

/** Asks the API server whether somebody may do something (SubjectAccessReview), and remembers the answer for a while. */
export class AccessReviewer {
  readonly #known: Remembered<Verdict>;

  constructor(
    private readonly client: KubeClient,
    clock: Clock,
    private readonly times: ReviewTimes = componentTimes,
  ) {
    this.#known = new Remembered(clock);
  }

  async review(user: RequestUser, attributes: ReviewAttributes): Promise<Verdict> {
    return this.#known.get(JSON.stringify([user, attributes]), async () => {
      const answer = await this.client.api.subjectAccessReviews().create({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        metadata: {},
        spec: {
          user: user.name,
          groups: [...user.groups],
          ...(user.uid ? { uid: user.uid } : {}),
          ...(user.extra ? { extra: Object.fromEntries(Object.entries(user.extra).map(([k, v]) => [k, [...v]])) } : {}),
          ...attributes,
        },
      });
      const allowed = answer.status?.allowed === true;
      return { value: { allowed, reason: answer.status?.reason ?? '' }, forMs: allowed ? this.times.allowedMs : this.times.deniedMs };
    });
  }
}

/** The last answers, each for its time; the oldest go first. */
class Remembered<V> {
  readonly #answers = new Map<string, { readonly until: number; readonly value: V }>();

  constructor(private readonly clock: Clock) {}

  async get(key: string, ask: () => Promise<{ readonly value: V; readonly forMs: number }>): Promise<V> {
    const known = this.#answers.get(key);
    const now = this.clock.monotonic();
    if (known && known.until > now) return known.value;
    const { value, forMs } = await ask();
    this.#answers.delete(key);
    if (forMs > 0) this.#answers.set(key, { until: now + forMs, value });
    if (this.#answers.size > MAX_REMEMBERED) this.#answers.delete(this.#answers.keys().next().value as string);
    return value;
  }
}

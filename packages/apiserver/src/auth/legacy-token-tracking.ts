import type { KubeObject } from '@coxswain/api';
import type { Transport } from '@coxswain/client';
import type { Clock, Logger } from '@coxswain/sdk';
import { sendOwn } from '../request/send-own.js';
import type { ResourceCache } from '../storage/resource-cache.js';

const NAMESPACE = 'kube-system';
const NAME = 'kube-apiserver-legacy-service-account-token-tracking';
const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const LAST_USED = 'kubernetes.io/legacy-token-last-used';
const DAY_MS = 86_400_000;
/** One that somebody deletes again and again, as a server that does not track would, is made only so often. */
const CREATION_INTERVAL_MS = 30 * 60_000;

export interface LegacyTokenTrackingOptions {
  readonly transport: Transport;
  readonly configMaps: Pick<ResourceCache, 'get'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
}

/** Writes down since when the use of tokens that Secrets carry is tracked, and on the Secrets the day of their last use. */
export class LegacyTokenTracking {
  #createdAt = -Infinity;
  /** The days already sent off, by the Secrets' UIDs: what caches say comes later. */
  readonly #sent = new Map<string, string>();

  constructor(readonly options: LegacyTokenTrackingOptions) {}

  /** The ConfigMap that says since when; one that says nothing sensible is begun anew. */
  async keep(): Promise<void> {
    const now = this.options.clock.now();
    const since = dayOf(now);
    const found = this.options.configMaps.get(NAMESPACE, NAME)?.object;
    if (!found) {
      if (now < this.#createdAt + CREATION_INTERVAL_MS) return;
      await this.#send('POST', CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: NAMESPACE, name: NAME }, data: { since } });
      this.#createdAt = now;
    } else if (!isDay((found['data'] as Readonly<Record<string, string>> | undefined)?.['since'])) {
      const { resourceVersion } = found.metadata;
      await this.#send('PATCH', `${CONFIG_MAPS}/${NAME}`, { metadata: { resourceVersion }, data: { since } });
    }
  }

  /** The token that the Secret carries has been used. */
  used({ metadata }: KubeObject): void {
    const { name = '', namespace = '', uid = '' } = metadata;
    const now = this.options.clock.now();
    const today = dayOf(now);
    const known = metadata.labels?.[LAST_USED];
    // Clocks of servers differ: another may have reached tomorrow.
    if (known === today || known === dayOf(now + DAY_MS) || this.#sent.get(uid) === today) return;
    this.#sent.set(uid, today);
    this.#send('PATCH', `/api/v1/namespaces/${namespace}/secrets/${name}`, { metadata: { uid, labels: { [LAST_USED]: today } } }).catch((err: unknown) => {
      this.#sent.delete(uid);
      this.options.logger.warn('the last use of a token that a Secret carries was not written down', { secret: `${namespace}/${name}`, err });
    });
  }

  /** That somebody else was faster is as good. */
  #send(method: 'PATCH' | 'POST', path: string, body: object): Promise<number> {
    return sendOwn(this.options.transport, method, path, body, [404, 409]);
  }
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const isDay = (text: string | undefined): boolean => text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));

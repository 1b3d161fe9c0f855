import type { Session } from '../session/session-store.js';
import { mayRead } from '../session/who-am-i.js';
import { sendJson, WebError, type WebResponse } from '../server/web-exchange.js';
import { PROMETHEUS_TEXT } from '@coxswain/sdk';

/** A component of this machine whose metrics the API server has no way to. */
export interface ComponentEndpoint {
  /** `kube-scheduler`, `kube-controller-manager`, `kube-proxy`, `coredns`, … */
  readonly name: string;
  /** URL of its Prometheus text. */
  readonly metrics: string;
}

const ALLOWED_FOR_MS = 30_000;

/**
 * Metrics of components, for users whom the API server lets read its own `/metrics`: the rule upstream's components apply to theirs.
 * The endpoints themselves are open on this machine, so nothing is asked with rights that the user does not have.
 */
export class ComponentMetrics {
  readonly #allowed = new WeakMap<Session, { readonly until: number; readonly allowed: Promise<boolean> }>();

  constructor(
    readonly endpoints: readonly ComponentEndpoint[],
    readonly now: () => number,
  ) {}

  /** `GET /components`, `GET /components/NAME/metrics`. */
  async answer(session: Session, path: string, response: WebResponse): Promise<void> {
    if (!(await this.#mayRead(session))) throw new WebError(403, `user "${session.user.username}" cannot get path "/metrics"`);
    const [, , name, what] = path.split('/');
    if (name === undefined || name === '') return sendJson(response, 200, { components: this.endpoints.map((e) => ({ name: e.name })) });
    const endpoint = this.endpoints.find((e) => e.name === decodeURIComponent(name));
    if (!endpoint || what !== 'metrics') throw new WebError(404, 'there is no such component');
    const text = await this.#read(endpoint);
    response.writeHead(200, { 'content-type': PROMETHEUS_TEXT, 'cache-control': 'no-store' }).end(text);
  }

  async #read({ name, metrics }: ComponentEndpoint): Promise<string> {
    try {
      const answer = await fetch(metrics, { signal: AbortSignal.timeout(5000), redirect: 'error' });
      if (!answer.ok) throw new Error(`it answered ${answer.status}`);
      return await answer.text();
    } catch (error) {
      throw new WebError(502, `${name} cannot be reached: ${(error as Error).message}`);
    }
  }

  #mayRead(session: Session): Promise<boolean> {
    const now = this.now();
    const known = this.#allowed.get(session);
    if (known && known.until > now) return known.allowed;
    const allowed = mayRead(session.transport, '/metrics');
    this.#allowed.set(session, { until: now + ALLOWED_FOR_MS, allowed });
    allowed.catch(() => this.#allowed.delete(session));
    return allowed;
  }
}

import type { ConfigMap } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';

interface Seen {
  count: number;
  present: boolean;
}

/** Watches the ledger over every break, from where it was, and checks that it sees each change once and in order. */
export class ChangeWatcher {
  readonly #seen = new Map<string, Seen>();
  readonly faults: string[] = [];
  #revision = '';
  events = 0;
  breaks = 0;

  constructor(
    private readonly client: () => KubeClient,
    private readonly namespace: string,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#revision === '') await this.#list(signal);
        const options = { labelSelector: 'chaos=ledger', resourceVersion: this.#revision, timeoutSeconds: 300 };
        const watch = this.client()
          .api.configMaps(this.namespace)
          .watch({ ...options, allowWatchBookmarks: true, signal });
        for await (const event of watch) this.#take(event.type, event.object as ConfigMap);
      } catch (error) {
        if (!signal.aborted && (error as { code?: unknown }).code === 410) {
          this.faults.push(`revision ${this.#revision} expired: ${(error as Error).message}`);
          this.#revision = '';
          this.#seen.clear();
        }
      }
      this.breaks++;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const list = await this.client().api.configMaps(this.namespace).list({ labelSelector: 'chaos=ledger', signal });
    for (const item of list.items) this.#seen.set(item.metadata.name ?? '', { count: Number(item.data?.['count']), present: true });
    this.#revision = list.metadata.resourceVersion ?? '';
  }

  #take(type: string, object: ConfigMap): void {
    const { name = '', resourceVersion = '' } = object.metadata;
    if (type !== 'BOOKMARK') {
      if (BigInt(resourceVersion) <= BigInt(this.#revision)) this.faults.push(`${type} ${name} at ${resourceVersion} after ${this.#revision}`);
      this.events++;
      const count = Number(object.data?.['count']);
      const before = this.#seen.get(name) ?? { count: 0, present: false };
      const fault = faultOf(type, count, before);
      if (fault) this.faults.push(`${name}: ${fault} (revision ${resourceVersion})`);
      this.#seen.set(name, { count, present: type !== 'DELETED' });
    }
    this.#revision = resourceVersion;
  }

  /** What is otherwise than it should have seen. */
  async missed(): Promise<string[]> {
    const { items } = await this.client().api.configMaps(this.namespace).list({ labelSelector: 'chaos=ledger' });
    const found = items.map((item) => `${item.metadata.name} ${item.data?.['count']}`);
    const seen = [...this.#seen].filter(([, { present }]) => present).map(([name, { count }]) => `${name} ${count}`);
    return [
      ...found.filter((each) => !seen.includes(each)).map((each) => `a watcher missed ${each}`),
      ...seen.filter((each) => !found.includes(each)).map((each) => `a watcher kept ${each}`),
    ];
  }
}

/** A count may be passed over: a write that was refused, or came to nothing in a crash. It is never seen twice, nor smaller. */
function faultOf(type: string, count: number, before: Seen): string | undefined {
  if (type === 'DELETED') return before.present && count === before.count ? undefined : `deleted at ${count}, was ${JSON.stringify(before)}`;
  if (count <= before.count) return `${type} ${count} after ${before.count}`;
  if (before.present !== (type === 'MODIFIED')) return `${type}, was ${JSON.stringify(before)}`;
  return undefined;
}

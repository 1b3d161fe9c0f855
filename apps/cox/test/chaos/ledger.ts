import type { ConfigMap } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';

/** What the API server has promised about one object. */
interface Entry {
  readonly name: string;
  /** Of the last answered request: undefined when that deleted it, or there was none. */
  acknowledged: ConfigMap | undefined;
  /** Of a request that nobody answered, which may have been carried out, or still be: the object is left alone from there on. */
  doubtful?: { readonly count: number | undefined };
  /** Goes on over a deletion, so that whoever watches can tell a lost change from a new object. */
  count: number;
}

const NAMES = 24;

/** Writes ConfigMaps whose `count` only ever grows, and keeps account of what was acknowledged. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  acknowledged = 0;
  unanswered = 0;
  #names = 0;

  constructor(
    private readonly client: () => KubeClient,
    private readonly namespace: string,
  ) {}

  /** One write after the other until aborted; several may write side by side. */
  async write(signal: AbortSignal, choose: (n: number) => number): Promise<void> {
    const own: Entry[] = [];
    while (!signal.aborted) {
      const index = choose(NAMES);
      let entry = own[index];
      if (!entry || entry.doubtful) {
        entry = { name: `ledger-${++this.#names}`, acknowledged: undefined, count: 0 };
        own[index] = entry;
        this.#entries.set(entry.name, entry);
      }
      await this.#step(entry, choose(10) === 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #step(entry: Entry, remove: boolean): Promise<void> {
    const api = this.client().api.configMaps(this.namespace);
    const signal = AbortSignal.timeout(5000);
    const { name, acknowledged } = entry;
    const deletes = remove && acknowledged !== undefined;
    if (!deletes) entry.count++;
    const data = { count: String(entry.count) };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { chaos: 'ledger' } } } as const;
    try {
      if (deletes) {
        await api.delete(name, { signal });
        entry.acknowledged = undefined;
      } else if (acknowledged) entry.acknowledged = await api.update({ ...acknowledged, data }, { signal });
      else entry.acknowledged = await api.create({ ...object, data }, { signal });
      this.acknowledged++;
    } catch {
      entry.doubtful = { count: deletes ? undefined : entry.count };
      this.unanswered++;
    }
  }

  /** What of everything acknowledged is not so, and what is there that nobody wrote. */
  async faults(): Promise<string[]> {
    const { items } = await this.client().api.configMaps(this.namespace).list({ labelSelector: 'chaos=ledger' });
    const found = new Map(items.map((item) => [item.metadata.name ?? '', countOf(item)]));
    const faults: string[] = [];
    for (const { name, acknowledged, doubtful } of this.#entries.values()) {
      const count = found.get(name);
      if (count === countOf(acknowledged) || (doubtful && count === doubtful.count)) continue;
      faults.push(`${name} has count ${count}; acknowledged ${countOf(acknowledged)}${doubtful ? `, perhaps ${doubtful.count}` : ''}`);
    }
    for (const name of found.keys()) if (!this.#entries.has(name)) faults.push(`nobody wrote ${name}`);
    return faults;
  }
}

function countOf(object: ConfigMap | undefined): number | undefined {
  return object && Number(object.data?.['count']);
}

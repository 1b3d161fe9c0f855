import { ApiError } from '@coxswain/apimachinery';
import type { ApiHandlers, ApiList, ApiWatchEvent } from '@coxswain/sdk';
import type { Stove } from './kitchen.js';

const HISTORY = 1000;

interface Change extends ApiWatchEvent<Stove> {
  readonly version: number;
}

/** Objects no store keeps: here they live in memory, elsewhere they might be devices, rows of a database, or another API's. */
export class Stoves implements ApiHandlers<Stove> {
  readonly #stoves = new Map<string, Stove>();
  #history: Change[] = [];
  #waiting = new Set<() => void>();
  #version = 1;

  get({ name }: { readonly name: string }): Stove | undefined {
    return this.#stoves.get(name);
  }

  list(): ApiList<Stove> {
    return { items: [...this.#stoves.values()], resourceVersion: String(this.#version) };
  }

  create(stove: Stove): Stove | 'exists' {
    return this.#stoves.has(stove.metadata.name ?? '') ? 'exists' : this.#keep('ADDED', stove);
  }

  update(stove: Stove, old: Stove): Stove | 'conflict' {
    return this.#isCurrent(old) ? this.#keep('MODIFIED', stove) : 'conflict';
  }

  delete(old: Stove): 'deleted' | 'conflict' {
    if (!this.#isCurrent(old)) return 'conflict';
    this.#stoves.delete(old.metadata.name ?? '');
    this.#note('DELETED', old);
    return 'deleted';
  }

  async *watch({ resourceVersion, signal }: { readonly resourceVersion: string; readonly signal: AbortSignal }): AsyncIterable<ApiWatchEvent<Stove>> {
    let seen = Number(resourceVersion);
    // What happened before the history begins is not known any more: the client lists again.
    const oldest = this.#history[0]?.version ?? this.#version + 1;
    if (seen + 1 < oldest && this.#history.length === HISTORY) throw ApiError.expired(`too old resource version: ${seen} (${oldest})`);
    while (!signal.aborted) {
      const next = this.#history.filter(({ version }) => version > seen);
      for (const change of next) {
        yield change;
        seen = change.version;
      }
      if (next.length === 0) await this.#changed(signal);
    }
  }

  #isCurrent({ metadata }: Stove): boolean {
    return this.#stoves.get(metadata.name ?? '')?.metadata.resourceVersion === metadata.resourceVersion;
  }

  #keep(type: 'ADDED' | 'MODIFIED', stove: Stove): Stove {
    const kept = this.#note(type, stove);
    this.#stoves.set(kept.metadata.name ?? '', kept);
    return kept;
  }

  #note(type: Change['type'], stove: Stove): Stove {
    const version = ++this.#version;
    const object = { ...stove, metadata: { ...stove.metadata, resourceVersion: String(version) } };
    this.#history = [...this.#history, { type, object, version }].slice(-HISTORY);
    for (const wake of [...this.#waiting]) wake();
    return object;
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

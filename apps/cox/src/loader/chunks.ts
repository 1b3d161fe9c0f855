import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import type { CodeCache } from './code-cache.js';

/** What CommonJS gives a module; bundled chunks use no more of it. */
type Wrapper = (exports: object, require: (specifier: string) => unknown, module: object, filename: string) => void;

/** The chunks of the bundle, CommonJS modules in one folder, compiled with the help of a code cache. */
export class Chunks {
  readonly #folder: string;
  readonly #cache: CodeCache;
  readonly #modules = new Map<string, object>();
  readonly #scripts = new Map<string, Script>();
  readonly #require: (specifier: string) => unknown;
  /** Whether something was compiled that the cache lacks. */
  #news = false;

  constructor(folder: string, cache: CodeCache, others: NodeJS.Require) {
    this.#folder = folder;
    this.#cache = cache;
    this.#require = Object.assign((specifier: string) => (specifier.startsWith('./') ? this.load(specifier.slice(2)) : fromOutside(specifier, others)), others);
  }

  /** What a chunk exports. One that failed is evaluated again for whoever asks next, as Node does with CommonJS. */
  load(name: string): object {
    const known = this.#modules.get(name);
    if (known) return known;
    const module = {};
    this.#modules.set(name, module);
    const filename = join(this.#folder, name);
    const cachedData = this.#cache.get(name);
    // The bundler writes ASCII only.
    const source = `(function (exports, require, module, __filename) {${readFileSync(filename, 'latin1')}\n})`;
    const script = new Script(source, { filename, ...(cachedData ? { cachedData } : {}) });
    if (script.cachedDataRejected !== false) this.#news = true;
    this.#scripts.set(name, script);
    try {
      (script.runInThisContext() as Wrapper)(module, this.#require, { exports: module }, filename);
    } catch (error) {
      this.#modules.delete(name);
      throw error;
    }
    return module;
  }

  /** Keep what was compiled by now for the next process, if it is more than what was kept. */
  keepCode(): void {
    if (!this.#news) return;
    this.#news = false;
    this.#cache.save(this.#scripts);
  }
}

function fromOutside(specifier: string, others: NodeJS.Require): unknown {
  // As @coxswain/linux's beforeRequire: after a look at a pipe, Node 20 would not follow pnpm's links.
  if (!specifier.startsWith('node:')) statSync('/');
  return others(specifier);
}

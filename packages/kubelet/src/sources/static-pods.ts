import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '@coxswain/api';
import type { Clock, Logger } from '@coxswain/sdk';
import { parse } from 'yaml';
import { type MakeStaticPod, staticPodMaker } from './static-pod.js';

export interface StaticPodOptions {
  readonly folder: string;
  readonly nodeName: string;
  readonly checkMs: number;
}

/** Pods from manifest files. `changed` is told the whole set at first and whenever it changes. */
export class StaticPodSource {
  readonly #options: StaticPodOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #make: MakeStaticPod;

  constructor(options: StaticPodOptions, clock: Clock, logger: Logger) {
    this.#options = options;
    this.#make = staticPodMaker(options.nodeName, 'file', clock);
    this.#clock = clock;
    this.#logger = logger;
  }

  /** One look. A file that cannot be read as a pod is reported and left out. */
  async read(): Promise<Pod[]> {
    const { folder } = this.#options;
    const found = await stat(folder).catch(() => undefined);
    if (!found) return [];
    const names = found.isDirectory() ? (await readdir(folder)).filter((n) => !n.startsWith('.') && !n.endsWith('~')).sort() : [''];
    const pods: Pod[] = [];
    for (const name of names) {
      const path = name ? join(folder, name) : folder;
      try {
        if (!(await stat(path)).isFile()) continue;
        pods.push(this.#make(parse(await readFile(path, 'utf8')) as Pod, path));
      } catch (error) {
        this.#logger.warn('a static pod manifest cannot be read', { path, err: error });
      }
    }
    return pods;
  }

  async run(changed: (pods: Pod[]) => void, signal: AbortSignal): Promise<void> {
    let last = '';
    while (!signal.aborted) {
      const pods = await this.read().catch((error: unknown) => {
        this.#logger.warn('reading static pods failed', { err: error });
        return undefined;
      });
      const key = pods?.map((p) => p.metadata?.uid).join() ?? last;
      if (pods && (key !== last || last === '')) {
        last = key || '-';
        changed(pods);
      }
      await this.#pause(signal);
    }
  }

  /** Until a file changes, or the period is over. */
  async #pause(signal: AbortSignal): Promise<void> {
    const touched = new AbortController();
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(this.#options.folder, () => touched.abort());
      watcher.on('error', () => {});
    } catch {
      // The folder is not there yet.
    }
    await this.#clock.sleep(this.#options.checkMs, AbortSignal.any([signal, touched.signal])).catch(() => {});
    watcher?.close();
    // Editors write in several steps.
    if (touched.signal.aborted) await this.#clock.sleep(50, signal).catch(() => {});
  }
}

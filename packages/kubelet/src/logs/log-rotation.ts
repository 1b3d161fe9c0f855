import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { RuntimeServiceClient } from '@coxswain/cri';
import type { Clock, Logger } from '@coxswain/sdk';
import type { PodCache } from '../pod/pod-cache.js';

export interface LogRotationOptions {
  readonly maxSizeBytes: number;
  /** Files per container, the current one included. */
  readonly maxFiles: number;
  readonly periodMs: number;
}

/** Keeps container logs within bounds: `0.log` → `0.log.<time>` → `0.log.<time>.gz`; the newest rotated file stays plain for followers. */
export class LogRotation {
  /** Logs of which an older file is being compressed. */
  readonly #compressing = new Set<string>();

  constructor(
    private readonly runtime: RuntimeServiceClient,
    private readonly cache: PodCache,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly options: LogRotationOptions,
    private readonly compress: (from: string, to: string) => Promise<void> = gzipFile,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.clock.sleep(this.options.periodMs, signal).catch(() => {});
      if (!signal.aborted) await this.rotateAll();
    }
  }

  async rotateAll(): Promise<void> {
    for (const uid of this.cache.uids()) {
      for (const { id, phase, logPath } of this.cache.get(uid).containers) {
        if (phase !== 'running' || !logPath) continue;
        const found = await stat(logPath).catch(() => undefined);
        if (found && found.size < this.options.maxSizeBytes) continue;
        try {
          // Without the file the runtime writes into nothing: have it made again.
          if (found) await this.rotate(logPath, id);
          else await this.runtime.reopenContainerLog({ containerId: id });
        } catch (error) {
          this.logger.warn('rotating a log failed', { path: logPath, err: error });
        }
      }
    }
  }

  async rotate(path: string, containerId: string): Promise<void> {
    await this.#removeOldest(path);
    const stamp = new Date(this.clock.now()).toISOString().replace(/[-:T]/g, '').replace(/\..*/, '');
    const rotated = `${path}.${stamp.slice(0, 8)}-${stamp.slice(8, 14)}`;
    await rename(path, rotated);
    try {
      await this.runtime.reopenContainerLog({ containerId });
    } catch (error) {
      await rename(rotated, path).catch(() => {});
      throw error;
    }
    this.#compressInTheBackground(path);
  }

  /** Makes room for one more. */
  async #removeOldest(path: string): Promise<void> {
    const names = await this.#rotated(path);
    for (const name of names.slice(0, Math.max(0, names.length - Math.max(0, this.options.maxFiles - 2)))) await rm(join(dirname(path), name), { force: true });
  }

  async #rotated(path: string): Promise<string[]> {
    const base = `${basename(path)}.`;
    return (await readdir(dirname(path))).filter((name) => name.startsWith(base) && !name.endsWith('.tmp')).sort();
  }

  /** Who writes faster than we compress must not have to be waited for: its log would grow meanwhile, and with it the time of the next one. */
  #compressInTheBackground(path: string): void {
    if (this.#compressing.has(path)) return;
    this.#compressing.add(path);
    void this.#compressAll(path)
      .catch((error: unknown) => {
        // With its container.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.logger.warn('compressing a log failed', { path, err: error });
      })
      .finally(() => this.#compressing.delete(path));
  }

  async #compressAll(path: string): Promise<void> {
    const folder = dirname(path);
    // What a kubelet that was killed did not finish.
    for (const name of await readdir(folder)) if (name.startsWith(`${basename(path)}.`) && name.endsWith('.tmp')) await rm(join(folder, name), { force: true });
    for (const name of (await this.#rotated(path)).slice(0, -1)) {
      if (name.endsWith('.gz')) continue;
      const from = join(folder, name);
      try {
        await this.compress(from, `${from}.tmp`);
        // It may have become one too many.
        await stat(from);
        await rename(`${from}.tmp`, `${from}.gz`);
        await rm(from, { force: true });
      } catch (error) {
        await rm(`${from}.tmp`, { force: true });
        throw error;
      }
    }
  }
}

function gzipFile(from: string, to: string): Promise<void> {
  return pipeline(createReadStream(from), createGzip(), createWriteStream(to));
}

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
  constructor(
    private readonly runtime: RuntimeServiceClient,
    private readonly cache: PodCache,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly options: LogRotationOptions,
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
    await this.#tidy(path);
    const stamp = new Date(this.clock.now()).toISOString().replace(/[-:T]/g, '').replace(/\..*/, '');
    const rotated = `${path}.${stamp.slice(0, 8)}-${stamp.slice(8, 14)}`;
    await rename(path, rotated);
    try {
      await this.runtime.reopenContainerLog({ containerId });
    } catch (error) {
      await rename(rotated, path).catch(() => {});
      throw error;
    }
  }

  /** Compresses what was rotated before and drops the oldest. */
  async #tidy(path: string): Promise<void> {
    const dir = dirname(path);
    const base = `${basename(path)}.`;
    const names = (await readdir(dir)).filter((n) => n.startsWith(base)).sort();
    for (const name of names.filter((n) => n.endsWith('.tmp'))) await rm(join(dir, name), { force: true });
    const kept = names.filter((n) => !n.endsWith('.tmp'));
    const surplus = kept.length - Math.max(0, this.options.maxFiles - 2);
    for (const name of kept.splice(0, Math.max(0, surplus))) await rm(join(dir, name), { force: true });
    for (const name of kept) {
      if (name.endsWith('.gz')) continue;
      const from = join(dir, name);
      await pipeline(createReadStream(from), createGzip(), createWriteStream(`${from}.tmp`));
      await rename(`${from}.tmp`, `${from}.gz`);
      await rm(from, { force: true });
    }
  }
}

import type { AnswerShape } from './wire.js';

interface Kept {
  readonly message: Buffer;
  readonly ttlOffsets: readonly number[];
  readonly storedAt: number;
  readonly expiresAt: number;
}

export interface AnswerCacheOptions {
  /** Monotonic milliseconds. */
  now(): number;
  readonly maxEntries: number;
  /** Upper bounds, in seconds. */
  readonly maxTtl: number;
  readonly maxNegativeTtl: number;
}

/** Answers of other servers, as bytes, until their records expire; the least recently used go first. */
export class AnswerCache {
  readonly #kept = new Map<string, Kept>();

  constructor(readonly options: AnswerCacheOptions) {}

  get size(): number {
    return this.#kept.size;
  }

  /** A copy whose TTLs have shrunk by the time passed. */
  get(key: string): Buffer | undefined {
    const kept = this.#kept.get(key);
    if (!kept) return undefined;
    const now = this.options.now();
    this.#kept.delete(key);
    if (kept.expiresAt <= now) return undefined;
    this.#kept.set(key, kept);
    const age = Math.floor((now - kept.storedAt) / 1000);
    const out = Buffer.from(kept.message);
    for (const at of kept.ttlOffsets) out.writeUInt32BE(Math.max(0, out.readUInt32BE(at) - age), at);
    return out;
  }

  set(key: string, message: Buffer, shape: AnswerShape): void {
    if (shape.truncated) return;
    const negative = shape.rcode !== 0 || message.readUInt16BE(6) === 0;
    const ttl = Math.min(shape.ttl, negative ? this.options.maxNegativeTtl : this.options.maxTtl);
    if (ttl <= 0) return;
    const storedAt = this.options.now();
    this.#kept.delete(key);
    this.#kept.set(key, { message, ttlOffsets: shape.ttlOffsets, storedAt, expiresAt: storedAt + ttl * 1000 });
    if (this.#kept.size <= this.options.maxEntries) return;
    const oldest = this.#kept.keys().next();
    if (!oldest.done) this.#kept.delete(oldest.value);
  }
}

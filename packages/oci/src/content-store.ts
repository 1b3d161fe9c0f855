import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from './digest.js';
import { OciError } from './error.js';
import type { Descriptor } from './image-types.js';
import { verified } from './verify.js';

/** Blobs by digest in a folder, as in an OCI image layout: `blobs/<algorithm>/<hex>`. A blob is there whole and verified, or not at all. */
export class ContentStore {
  readonly #writing = new Map<Digest, Promise<void>>();

  private constructor(private readonly root: string) {}

  static async open(root: string): Promise<ContentStore> {
    await Promise.all(['ingest', 'blobs/sha256', 'blobs/sha512'].map((d) => mkdir(join(root, d), { recursive: true, mode: 0o700 })));
    // What a crash left half written; another process that uses the folder now is left alone.
    for (const name of await readdir(join(root, 'ingest'))) {
      if (!(await stat(`/proc/${name.split('-')[0]}`).catch(() => undefined))) await rm(join(root, 'ingest', name), { force: true });
    }
    return new ContentStore(root);
  }

  path(digest: Digest): string {
    if (!isDigest(digest)) throw new OciError('invalid', `not a digest: ${JSON.stringify(digest)}`);
    return join(this.root, 'blobs', digest.replace(':', '/'));
  }

  async has(digest: Digest): Promise<boolean> {
    return (await stat(this.path(digest)).catch(() => undefined)) !== undefined;
  }

  /** Small documents. Rejects with `not-found`. */
  async read(digest: Digest, limit: number): Promise<Buffer> {
    const size = (await stat(this.path(digest)).catch(() => undefined))?.size;
    if (size === undefined) throw new OciError('not-found', `${digest} is not in the content store`);
    if (size > limit) throw new OciError('too-large', `${digest} is larger than ${limit} bytes`);
    return readFile(this.path(digest));
  }

  stream(digest: Digest): AsyncIterable<Uint8Array> {
    return createReadStream(this.path(digest), { highWaterMark: 1 << 20 });
  }

  /** Store a blob, verifying size and digest. One that is there, or is being written by another caller, is not asked for again. */
  async write(descriptor: Pick<Descriptor, 'digest' | 'size'>, source: () => AsyncIterable<Uint8Array>): Promise<void> {
    const { digest } = descriptor;
    for (;;) {
      if (await this.has(digest)) return;
      const running = this.#writing.get(digest);
      if (!running) break;
      // Its failure (a cancelled pull) is not ours: then we try ourselves.
      await running.catch(() => {});
    }
    const write = this.#ingest(descriptor, source).finally(() => this.#writing.delete(digest));
    this.#writing.set(digest, write);
    await write;
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.path(digest), { force: true });
  }

  async list(): Promise<Digest[]> {
    const of = async (algorithm: string) => (await readdir(join(this.root, 'blobs', algorithm))).map((hex) => `${algorithm}:${hex}`);
    return (await Promise.all([of('sha256'), of('sha512')])).flat().filter(isDigest);
  }

  async #ingest(descriptor: Pick<Descriptor, 'digest' | 'size'>, source: () => AsyncIterable<Uint8Array>): Promise<void> {
    const disk = await statfs(this.root);
    const free = disk.bavail * disk.bsize;
    // Said before anything is fetched; an image may claim any size.
    if (descriptor.size > free) throw new OciError('too-large', `${descriptor.digest} has ${descriptor.size} bytes; ${free} are free on the disk`);
    const temporary = join(this.root, 'ingest', `${process.pid}-${randomUUID()}`);
    const file = await open(temporary, 'wx', 0o600);
    try {
      try {
        for await (const chunk of verified(source(), descriptor)) await file.writeFile(chunk);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.path(descriptor.digest));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

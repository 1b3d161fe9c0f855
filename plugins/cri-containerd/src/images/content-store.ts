import { isRpcError } from '@coxswain/cri';
import type { Descriptor } from '@coxswain/oci';
import { type Containerd, underLease } from '../containerd/client.js';
import { WriteAction } from '../generated/containerd/services/content/v1/content_pb.js';

/** containerd takes messages up to 16 MiB; larger chunks mean fewer round trips. */
const CHUNK_BYTES = 1024 * 1024;

/** Reads and writes blobs in containerd's content store. */
export class ContentStore {
  constructor(private readonly containerd: Containerd) {}

  async has(digest: string): Promise<boolean> {
    try {
      await this.containerd.content.info({ digest });
      return true;
    } catch (error) {
      if (isRpcError(error, 'notFound')) return false;
      throw error;
    }
  }

  async read(digest: string, limit: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const { data } of this.containerd.content.read({ digest })) {
      size += data.length;
      if (size > limit) throw new Error(`${digest} is larger than ${limit} bytes`);
      parts.push(data);
    }
    return Buffer.concat(parts);
  }

  /** Store a blob under a lease; containerd checks size and digest. One that is there already gets the labels and the lease. */
  async write(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    source: AsyncIterable<Uint8Array>,
    options: { readonly lease: string; readonly labels?: Readonly<Record<string, string>>; readonly signal?: AbortSignal },
  ): Promise<void> {
    const { digest, size } = descriptor;
    const labels = { ...options.labels };
    const ref = `${options.lease}-${digest}`;
    const total = BigInt(size);
    const requests = async function* () {
      let offset = 0n;
      for await (const data of rechunk(source)) {
        yield { action: WriteAction.WRITE, ref, total, expected: digest, offset, data };
        offset += BigInt(data.length);
      }
      yield { action: WriteAction.COMMIT, ref, total, expected: digest, offset, labels };
    };
    // The generator's own failure (a broken download) must win over the cancelled call it causes.
    let failure: unknown;
    const guarded = async function* () {
      try {
        yield* requests();
      } catch (error) {
        failure = error;
        throw error;
      }
    };
    try {
      for await (const response of this.containerd.content.write(guarded(), {
        ...underLease(options.lease),
        ...(options.signal ? { signal: options.signal } : {}),
      })) {
        if (response.action === WriteAction.COMMIT) return;
      }
    } catch (error) {
      if (failure) {
        await this.containerd.content.abort({ ref }).catch(() => {});
        throw failure;
      }
      if (!isRpcError(error, 'alreadyExists')) throw error;
      await this.adopt(digest, options.lease, labels);
    }
  }

  /** Put content that exists under a lease and add labels. */
  async adopt(digest: string, lease: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.containerd.leases.addResource({ id: lease, resource: { id: digest, type: 'content' } });
    if (Object.keys(labels).length > 0) {
      await this.containerd.content.update({ info: { digest, labels: { ...labels } }, updateMask: { paths: Object.keys(labels).map((l) => `labels.${l}`) } });
    }
  }
}

async function* rechunk(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of source) {
    parts.push(part);
    size += part.length;
    if (size < CHUNK_BYTES) continue;
    const all = Buffer.concat(parts);
    let at = 0;
    for (; all.length - at >= CHUNK_BYTES; at += CHUNK_BYTES) yield all.subarray(at, at + CHUNK_BYTES);
    parts = [all.subarray(at)];
    size = all.length - at;
  }
  if (size > 0) yield Buffer.concat(parts);
}

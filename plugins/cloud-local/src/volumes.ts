import { createHash } from 'node:crypto';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type CloudVolume, type CloudVolumes, OutOfCapacityError, VolumeConflictError, VolumeInUseError, VolumeNotFoundError } from '@coxswain/sdk';
import { JsonFolder } from './registry/json-folder.js';
import { Turns } from './registry/turns.js';

const MiB = 1024 * 1024;

/**
 * Disks as sparse files. `attach` writes down who has the disk and gives the file, which the host makes a block device of (loop): a record
 * outlives a reboot, a loop device does not. One process writes; any may read.
 */
export class LocalVolumes implements CloudVolumes {
  readonly #records: JsonFolder<CloudVolume>;
  readonly #folder: string;
  readonly #turns = new Turns();

  constructor(cloudFolder: string) {
    this.#folder = join(cloudFolder, 'volumes');
    this.#records = new JsonFolder(this.#folder, parseVolume);
  }

  /** The file behind a disk. */
  path(volumeId: string): string {
    return join(this.#folder, `${volumeId}.disk`);
  }

  create(name: string, sizeBytes: number): Promise<CloudVolume> {
    return this.#turns.take(async () => {
      const id = `vol-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
      const size = Math.max(1, Math.ceil(sizeBytes / MiB)) * MiB;
      const found = await this.#records.get(id);
      if (found && found.sizeBytes < size) throw new VolumeConflictError(`volume ${name} exists with ${found.sizeBytes} bytes, less than ${size}`);
      const volume = found ?? { id, name, sizeBytes: size };
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      if (!found) {
        const { bavail, bsize } = await statfs(this.#folder);
        if (size > bavail * bsize) throw new OutOfCapacityError(`no room for ${size} bytes: ${bavail * bsize} are free in ${this.#folder}`);
      }
      // The file first: a record always has one.
      await this.#grow(id, volume.sizeBytes);
      if (!found) await this.#records.put(id, volume);
      return volume;
    });
  }

  delete(volumeId: string): Promise<void> {
    return this.#turns.take(async () => {
      const found = await this.#records.get(volumeId);
      if (!found) return;
      if (found.attachedTo) throw new VolumeInUseError(`volume ${volumeId} is attached to ${found.attachedTo}`);
      await rm(this.path(volumeId), { force: true });
      await this.#records.remove(volumeId);
    });
  }

  async get(volumeId: string): Promise<CloudVolume | undefined> {
    return this.#records.get(volumeId);
  }

  async list(): Promise<readonly CloudVolume[]> {
    return (await this.#records.list()).map(({ value }) => value);
  }

  attach(volumeId: string, node: string): Promise<string> {
    return this.#turns.take(async () => {
      const found = await this.#required(volumeId);
      if (found.attachedTo && found.attachedTo !== node) throw new VolumeInUseError(`volume ${volumeId} is attached to ${found.attachedTo}`);
      if (!found.attachedTo) await this.#records.put(volumeId, { ...found, attachedTo: node });
      return this.path(volumeId);
    });
  }

  detach(volumeId: string, node: string): Promise<void> {
    return this.#turns.take(async () => {
      const found = await this.#records.get(volumeId);
      if (found?.attachedTo !== node) return;
      const { attachedTo: _node, ...free } = found;
      await this.#records.put(volumeId, free);
    });
  }

  expand(volumeId: string, sizeBytes: number): Promise<number> {
    return this.#turns.take(async () => {
      const found = await this.#required(volumeId);
      const size = Math.ceil(sizeBytes / MiB) * MiB;
      if (size <= found.sizeBytes) return found.sizeBytes;
      const { bavail, bsize } = await statfs(this.#folder);
      if (size - found.sizeBytes > bavail * bsize) throw new OutOfCapacityError(`no room to grow to ${size} bytes: ${bavail * bsize} are free`);
      await this.#grow(volumeId, size);
      await this.#records.put(volumeId, { ...found, sizeBytes: size });
      return size;
    });
  }

  async #required(volumeId: string): Promise<CloudVolume> {
    const found = await this.#records.get(volumeId);
    if (!found) throw new VolumeNotFoundError(`volume ${volumeId} does not exist`);
    return found;
  }

  /** Never cuts off. */
  async #grow(volumeId: string, size: number): Promise<void> {
    const handle = await open(this.path(volumeId), 'a', 0o600);
    try {
      if ((await handle.stat()).size < size) await handle.truncate(size);
    } finally {
      await handle.close();
    }
  }
}

function parseVolume(value: unknown): CloudVolume {
  const { id, name, sizeBytes, attachedTo } = value as CloudVolume;
  if (typeof id !== 'string' || typeof name !== 'string' || !Number.isSafeInteger(sizeBytes)) throw new Error('a volume has an id, a name and sizeBytes');
  return { id, name, sizeBytes, ...(attachedTo && { attachedTo }) };
}

import type { ContainerImage } from '@coxswain/api';
import type { Image, ImageServiceClient } from '@coxswain/cri';
import { diskUsage } from '@coxswain/linux';
import type { Clock, Logger } from '@coxswain/sdk';
import type { KubeletEvents } from '../events.js';
import type { KubeletOptions } from '../options.js';
import type { PodCache } from '../pod/pod-cache.js';
import type { ImageManager } from './image-manager.js';
import type { PullRecords } from './pull-records.js';

const MAX_NAMES = 5;
const LIST_MS = 30_000;

/** Knows the images on the node, and removes the longest unused when the disk fills. */
export class ImageCollector {
  #list: { readonly at: number; readonly images: readonly Image[] } | undefined;
  readonly #firstSeen = new Map<string, number>();

  constructor(
    private readonly image: ImageServiceClient,
    private readonly manager: ImageManager,
    private readonly cache: PodCache,
    private readonly events: KubeletEvents,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly options: KubeletOptions,
    private readonly records: Pick<PullRecords, 'prune'>,
  ) {}

  async list(maxAgeMs = LIST_MS): Promise<readonly Image[]> {
    const now = this.clock.monotonic();
    if (this.#list && now - this.#list.at < maxAgeMs) return this.#list.images;
    const { images } = await this.image.listImages({});
    this.#list = { at: now, images };
    return images;
  }

  /** What the node's status shows: the largest ones. */
  async report(): Promise<ContainerImage[]> {
    const images = [...(await this.list())].sort((a, b) => Number(b.size - a.size) || (a.id < b.id ? -1 : 1));
    const shown = this.options.nodeStatusMaxImages < 0 ? images : images.slice(0, this.options.nodeStatusMaxImages);
    return shown.map((i) => ({ names: [...i.repoDigests, ...i.repoTags].slice(0, MAX_NAMES), sizeBytes: Number(i.size) }));
  }

  /** Where the runtime keeps them. */
  async folder(): Promise<string | undefined> {
    return (await this.image.imageFsInfo({})).imageFilesystems[0]?.fsId?.mountpoint || undefined;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.clock.sleep(this.options.imageGCPeriodMs, signal).catch(() => {});
      if (!signal.aborted) await this.#turn().catch((error: unknown) => this.logger.warn('image garbage collection failed', { err: error }));
    }
  }

  async #turn(): Promise<void> {
    const began = this.clock.now();
    await this.collect();
    await this.records.prune(new Set((await this.list(0)).map(({ id }) => id)), began);
  }

  /** Removes until the low threshold, when the high one is passed; everything unused with `all`. Returns the bytes freed. */
  async collect(all = false): Promise<number> {
    const images = await this.list(0);
    const now = this.clock.now();
    const used = this.#inUse();
    for (const image of images) {
      if (!this.#firstSeen.has(image.id)) this.#firstSeen.set(image.id, now);
      if (isUsed(image, used)) this.manager.lastUsed.set(image.id, now);
    }
    await this.#removeOld(images, used, now);
    const where = await this.folder();
    const disk = await diskUsage(where || this.options.rootDir).catch(() => diskUsage(this.options.rootDir));
    const percent = 100 - Math.floor((disk.availableBytes * 100) / disk.totalBytes);
    if (!all && percent < this.options.imageGCHighThresholdPercent) return 0;
    const goal = all ? Number.POSITIVE_INFINITY : (disk.totalBytes * (100 - this.options.imageGCLowThresholdPercent)) / 100 - disk.availableBytes;
    const last = (i: Image) => this.manager.lastUsed.get(i.id) ?? this.#firstSeen.get(i.id) ?? 0;
    let freed = 0;
    for (const image of [...images].filter((i) => this.#firstSeen.has(i.id)).sort((a, b) => last(a) - last(b))) {
      if (freed >= goal) break;
      if (image.pinned || isUsed(image, used) || now - (this.#firstSeen.get(image.id) ?? now) < this.options.imageMinimumGCAgeMs) continue;
      if (await this.#remove(image)) freed += Number(image.size);
    }
    this.manager.forget();
    this.#list = undefined;
    if (!all && freed < goal)
      this.events.node(
        'Warning',
        'FreeDiskSpaceFailed',
        `Failed to garbage collect required amount of images. Attempted to free ${Math.round(goal)} bytes, but only found ${freed} bytes eligible to free.`,
      );
    return freed;
  }

  /** Whatever the disk looks like, what nobody used for so long goes. */
  async #removeOld(images: readonly Image[], used: ReadonlySet<string>, now: number): Promise<void> {
    const { imageMaximumGCAgeMs: age } = this.options;
    if (age === 0) return;
    const old = images.filter((i) => !i.pinned && !isUsed(i, used) && now - (this.manager.lastUsed.get(i.id) ?? this.#firstSeen.get(i.id) ?? now) > age);
    for (const image of old) if (await this.#remove(image)) this.manager.forget();
    if (old.length > 0) this.#list = undefined;
  }

  async #remove(image: Image): Promise<boolean> {
    try {
      await this.image.removeImage({ image: { image: image.id } });
    } catch (error) {
      this.logger.warn('removing an image failed', { image: image.id, err: error });
      return false;
    }
    this.#firstSeen.delete(image.id);
    this.manager.lastUsed.delete(image.id);
    return true;
  }

  #inUse(): Set<string> {
    return new Set(
      this.cache
        .uids()
        .flatMap((uid) => this.cache.get(uid).containers.flatMap((c) => [c.image, c.imageRef]))
        .filter(Boolean),
    );
  }
}

function isUsed(image: Image, used: ReadonlySet<string>): boolean {
  return used.has(image.id) || image.repoTags.some((t) => used.has(t)) || image.repoDigests.some((d) => used.has(d));
}

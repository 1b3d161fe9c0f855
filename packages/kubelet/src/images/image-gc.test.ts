import { silentLogger } from '@coxswain/sdk';
import { FakeClock } from '@coxswain/sdk-testing';
import { expect, it } from 'vitest';
import type { ImageServiceClient } from '@coxswain/cri';
import { type KubeletConfig, kubeletOptions } from '../options.js';
import { PodCache } from '../pod/pod-cache.js';
import { ImageCollector } from './image-gc.js';
import { ImageManager } from './image-manager.js';
import type { PullRecords } from './pull-records.js';

const image = (id: string, size: bigint) => ({ id, size, repoTags: [`${id}:1`], repoDigests: [], pinned: id === 'pause' });

function collector(config: KubeletConfig) {
  const clock = new FakeClock();
  const images = [image('old', 1n), image('used', 3n), image('pause', 2n)];
  const client = {
    listImages: async () => ({ images: [...images] }),
    imageFsInfo: async () => ({ imageFilesystems: [] }),
    removeImage: async ({ image: { image: id } }: { image: { image: string } }) => {
      images.splice(
        images.findIndex((i) => i.id === id),
        1,
      );
      return {};
    },
  } as unknown as ImageServiceClient;
  const cache = new PodCache();
  const events = { pod: () => {}, node: () => {} };
  const records = { prune: async () => {} } as unknown as PullRecords;
  const manager = new ImageManager(
    { image: client, clock, events, pullSecrets: async () => [], records },
    { backoff: { initialMs: 1, maxMs: 1 }, presenceMs: 0 },
  );
  // The disk is never so full that an image has to go for it.
  const options = kubeletOptions({ rootDir: '/', imageGCHighThresholdPercent: 101, ...config });
  return { clock, images, manager, collect: new ImageCollector(client, manager, cache, events, clock, silentLogger, options, records) };
}

it('what nobody used for so long goes, whatever the disk looks like', async () => {
  const { clock, images, manager, collect } = collector({ imageMaximumGCAgeMs: 3_600_000 });
  await collect.collect();
  await clock.advance(3_000_000);
  manager.lastUsed.set('used', clock.now());
  await collect.collect();
  expect(images.map((i) => i.id)).toEqual(['old', 'used', 'pause']);
  await clock.advance(601_000);
  await collect.collect();
  expect(images.map((i) => i.id)).toEqual(['used', 'pause']);
});

it('by default age is no reason', async () => {
  const { clock, images, collect } = collector({});
  await collect.collect();
  await clock.advance(1e9);
  await collect.collect();
  expect(images).toHaveLength(3);
});

it('so many images are reported, the largest first; -1: all', async () => {
  const names = async (nodeStatusMaxImages: number) => (await collector({ nodeStatusMaxImages }).collect.report()).map((i) => i.names?.[0]);
  expect(await names(2)).toEqual(['used:1', 'pause:1']);
  expect(await names(0)).toEqual([]);
  expect(await names(-1)).toEqual(['used:1', 'pause:1', 'old:1']);
});

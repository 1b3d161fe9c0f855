import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import { folderBytes, limitsLocalStorage, localStorageVerdict } from './local-storage.js';

const pod = (limits: (string | undefined)[], sizeLimit?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: {
    containers: limits.map((l, i) => ({ name: `c${i}`, image: 'i', ...(l ? { resources: { limits: { 'ephemeral-storage': l } } } : {}) })),
    volumes: [{ name: 'data', emptyDir: sizeLimit ? { sizeLimit } : {} }],
  },
});
const usage = (data: number, ...containers: number[]) => ({
  volumes: new Map([['data', data]]),
  containers: new Map(containers.map((n, i) => [`c${i}`, n])),
});

describe('local storage', () => {
  it('looks only at pods with limits', () => {
    expect(limitsLocalStorage(pod([undefined]))).toBe(false);
    expect(limitsLocalStorage(pod([undefined], '1Mi'))).toBe(true);
    expect(limitsLocalStorage(pod(['1Gi']))).toBe(true);
  });

  it('says which limit was passed, as upstream does', () => {
    expect(localStorageVerdict(pod([undefined], '1Mi'), usage(1 << 20, 0))).toBeUndefined();
    expect(localStorageVerdict(pod([undefined], '1Mi'), usage((1 << 20) + 1, 0))).toMatchObject({
      phase: 'Failed',
      reason: 'Evicted',
      message: 'Usage of EmptyDir volume "data" exceeds the limit "1Mi". ',
    });
    expect(localStorageVerdict(pod(['1Ki', '1Ki']), usage(2000, 30, 30))?.message).toBe(
      'Pod ephemeral local storage usage exceeds the total limit of containers 2048. ',
    );
    expect(localStorageVerdict(pod(['1Ki', '9Ki']), usage(0, 1100, 30))?.message).toBe('Container c0 exceeded its local ephemeral storage limit "1Ki". ');
    expect(localStorageVerdict(pod(['1Ki', undefined]), usage(99_999, 10, 9000))).toBeUndefined();
  });

  it('counts a folder, a hard link once', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kubelet-du-'));
    try {
      await mkdir(join(dir, 'a'));
      const empty = await folderBytes(dir);
      await writeFile(join(dir, 'a', 'f'), Buffer.alloc(100_000, 1));
      await link(join(dir, 'a', 'f'), join(dir, 'g'));
      const grown = (await folderBytes(dir)) - empty;
      expect(grown).toBeGreaterThanOrEqual(100_000);
      expect(grown).toBeLessThan(150_000);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});

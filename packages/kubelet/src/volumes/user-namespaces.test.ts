import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod } from '@coxswain/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Paths } from '../paths.js';
import { ID_BLOCK, UserNamespaces } from './user-namespaces.js';

const pod = (uid: string, spec: object = { hostUsers: false }): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: uid, namespace: 'ns', uid },
  spec: { containers: [], ...spec },
});

describe('ranges of ids of pods', () => {
  let dir: string;
  let paths: Paths;
  const open = (idsPerPod = ID_BLOCK, maxPods = 2) => UserNamespaces.open(paths, { idsPerPod, maxPods, etc: dir });
  const subordinate = (uids: string, gids = uids) => Promise.all([writeFile(join(dir, 'subuid'), uids), writeFile(join(dir, 'subgid'), gids)]);

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'userns-'));
    paths = new Paths(dir, join(dir, 'logs'), join(dir, 'links'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('are for pods without the host’s users, and differ, also when asked for at once', async () => {
    const users = await open();
    expect(await Promise.all([users.rangeOf(pod('a', { hostUsers: true })), users.rangeOf(pod('b', {}))])).toEqual([undefined, undefined]);
    const ranges = await Promise.all(['c', 'd', 'e'].map((uid) => users.rangeOf(pod(uid))));
    expect(ranges.map((r) => r?.hostId)).toEqual([65_536, 131_072, 196_608]);
    expect(ranges[0]).toEqual({ containerId: 0, hostId: 65_536, length: 65_536 });
  });

  it('stay with the pod over restarts of the kubelet, and are free again with its folder', async () => {
    const before = await (await open()).rangeOf(pod('a'));
    await (await open()).rangeOf(pod('b'));
    const users = await open();
    expect(await users.rangeOf(pod('a'))).toEqual(before);
    await rm(paths.pod('a'), { recursive: true });
    expect(await users.rangeOf(pod('c'))).toEqual(before);
  });

  it('do not overlap when their length has changed', async () => {
    await (await open()).rangeOf(pod('a'));
    await (await open()).rangeOf(pod('b'));
    expect(await (await open(2 * ID_BLOCK)).rangeOf(pod('c'))).toEqual({ containerId: 0, hostId: 4 * ID_BLOCK, length: 2 * ID_BLOCK });
  });

  it('are those of the user kubelet, and no more', async () => {
    await subordinate(`root:1:1\nkubelet:${5 * ID_BLOCK}:${2 * ID_BLOCK}\n`);
    const users = await open();
    expect((await users.rangeOf(pod('a')))?.hostId).toBe(5 * ID_BLOCK);
    expect((await users.rangeOf(pod('b')))?.hostId).toBe(6 * ID_BLOCK);
    await expect(users.rangeOf(pod('c'))).rejects.toThrow('could not find an empty slot');
  });

  it.each([
    [`kubelet:${ID_BLOCK + 1}:${2 * ID_BLOCK}\n`, undefined, /is not a multiple of 65536/],
    [`kubelet:0:${2 * ID_BLOCK}\n`, undefined, /must be greater or equal/],
    [`kubelet:${ID_BLOCK}:${2 * ID_BLOCK + 1}\n`, undefined, /length \d+ is not a multiple/],
    [`kubelet:${ID_BLOCK}:${ID_BLOCK}\n`, undefined, /not enough to support 2 pods/],
    [`kubelet:${65_535 * ID_BLOCK}:${2 * ID_BLOCK}\n`, undefined, /more than there are/],
    [`kubelet:${ID_BLOCK}:${2 * ID_BLOCK}\n`, `kubelet:${3 * ID_BLOCK}:${2 * ID_BLOCK}\n`, /mismatched subuids and subgids/],
    [`kubelet:${ID_BLOCK}:${2 * ID_BLOCK}\nkubelet:${9 * ID_BLOCK}:${2 * ID_BLOCK}\n`, undefined, /2 ranges/],
    ['kubelet:x:1\n', undefined, /is not user:first:count/],
  ])('refuse subuid %j, subgid %j', async (uids, gids, reason) => {
    await subordinate(uids, gids);
    await expect(open()).rejects.toThrow(reason);
  });

  it('refuse a file that holds none, rather than give a range twice', async () => {
    const users = await open();
    await users.rangeOf(pod('a'));
    await writeFile(join(paths.pod('a'), 'userns'), '{"uidMappings":[]}');
    await expect(users.rangeOf(pod('b'))).rejects.toThrow(/holds no user namespace/);
  });
});

import { tracesOf } from '@coxswain/cluster';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClusterFixture } from './cluster-fixture.js';
import { guestbookSuite } from './guestbook-suite.js';
import { nodeSuite } from './node-suite.js';

// The same application and the same tour of a node, unchanged, on every runtime. Slow: boots a whole cluster for each.
describe.each(['containerd', 'docker', 'crio'])('on %s', (runtime) => {
  let cluster: ClusterFixture;

  beforeAll(async () => {
    cluster = new ClusterFixture(`t-on-${runtime}`);
    await cluster.up('--runtime', runtime);
    await cluster.loadGuestbook();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  describe('the guestbook', () => {
    guestbookSuite(() => cluster);
  });
  describe('a node', () => {
    nodeSuite(() => cluster);
  });

  test('is what the cluster says it has, and keeps', async () => {
    expect(cluster.config.runtime).toBe(runtime);
    const node = await cluster.kubectl('get', 'nodes', '-o', 'jsonpath={.items[0].status.nodeInfo.containerRuntimeVersion}');
    expect(node).toMatch({ containerd: /^containerd:/, docker: /^docker:/, crio: /^cri-o:/ }[runtime] as RegExp);
    const images = await cluster.mustCox('image', 'list', '--name', cluster.name);
    expect(images).toContain('coxswain.local/guestbook:1');
    expect(await cluster.mustCox('status', '--name', cluster.name)).toContain(`containers by ${runtime}`);
    const other = runtime === 'crio' ? 'containerd' : 'crio';
    expect(await cluster.cox(['up', '--name', cluster.name, '--runtime', other])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`--runtime ${other} differs from ${runtime}`),
    });
  });

  test('a process that is killed is taken up again by the next up, with its pods', async () => {
    const containers = async () =>
      (await cluster.json<{ items: { status: { containerStatuses: { containerID: string }[] } }[] }>('pods')).items
        .flatMap((p) => p.status.containerStatuses.map((c) => c.containerID))
        .sort();
    const before = await containers();
    cluster.killForGood(...({ containerd: ['containerd', 'node'], docker: ['dockerd', 'node'], crio: ['node'] } as const)[runtime as 'crio']);
    await cluster.up();
    expect(await containers()).toEqual(before);
  });

  test('down leaves nothing behind', async () => {
    const { config } = cluster;
    await cluster.mustCox('down', '--name', cluster.name);
    expect(await tracesOf(config)).toEqual([]);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tracesOf } from '@coxswain/cluster';
import { importImage } from '@coxswain/cri-containerd';
import { buildBusyboxImage } from '@coxswain/oci';
import { claimIndex } from '@coxswain/sdk-testing';
import { afterAll, expect, test } from 'vitest';
import { customCluster } from './main.js';

const folder = mkdtempSync(join(tmpdir(), 'custom-cluster-'));
const index = claimIndex();
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  index.release();
});

const image = 'custom.test/busybox:1';

/** Look until it holds; vitest's timeout ends it. */
async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
}

test('a cluster of own making runs a pod and leaves nothing behind', async () => {
  const cluster = await customCluster({ name: 'custom-test', index: index.value, stateDir: join(folder, 'state'), runDir: join(folder, 'run') });
  const { config, client } = cluster;
  try {
    expect(cluster.kubeconfig).toContain(`https://127.0.0.1:${config.ports.apiServer}`);
    expect((await client.api.nodes().get(config.nodeName)).status?.nodeInfo?.kubeletVersion).toContain('v1.36');

    const archive = await (await buildBusyboxImage()).layoutTar();
    await importImage(
      config.paths.containerdSocket,
      (async function* () {
        yield archive;
      })(),
      { names: [image] },
    );
    // The service account every pod needs comes from a controller.
    await eventually(async () => (await client.api.serviceAccounts('default').list()).items.find((a) => a.metadata?.name === 'default'));
    const pods = client.api.pods('default');
    await pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'hello' },
      spec: { containers: [{ name: 'main', image, command: ['sleep', '1000'] }] },
    });
    const status = await eventually(async () => {
      const pod = await pods.get('hello');
      return pod.status?.phase === 'Running' ? pod.status : undefined;
    });
    expect(status.podIP).toMatch(new RegExp(`^${config.podCIDR.split('.').slice(0, 2).join('\\.')}\\.`));
    expect(status.containerStatuses?.[0]).toMatchObject({ ready: true, image });
    expect((await tracesOf(config)).length).toBeGreaterThan(3);
  } finally {
    await cluster.stop();
  }
  expect(await tracesOf(config)).toEqual([]);
});

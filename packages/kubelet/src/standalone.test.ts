import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeClient } from '@coxswain/client';
import { type LogFields, type Logger, silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Kubelet } from './kubelet.js';
import { StandaloneTransport } from './standalone-transport.js';
import { FakeCri } from './testing/fake-cri.js';
const soon = { timeout: 20_000, interval: 20 };
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubelet-alone-'));
  await mkdir(join(dir, 'manifests'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

it('without a cluster static pods run, are replaced, and end; nobody is asked and the log tells what happens', async () => {
  const cri = new FakeCri(systemClock, true);
  const manifest = (image: string) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'st' },
      spec: { containers: [{ name: 'web', image }], terminationGracePeriodSeconds: 1 },
    });
  await writeFile(join(dir, 'manifests', 'st.json'), manifest('busybox:1'));
  cri.images.set('busybox:2', { id: 'sha256:two' });
  const told: unknown[] = [];
  const troubles: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    info: (_message: string, fields?: LogFields) => void told.push(fields?.['event']),
    warn: (message: string) => void troubles.push(message),
    child: () => logger,
  };
  const podCIDRs: string[] = [];
  const kubelet = new Kubelet(
    {
      nodeName: 'alone',
      nodeIPs: ['192.0.2.1'],
      address: '127.0.0.1',
      port: 0,
      rootDir: join(dir, 'root'),
      podLogsDir: join(dir, 'pods'),
      containerLogsDir: join(dir, 'containers'),
      staticPodPath: join(dir, 'manifests'),
      podCIDR: '10.9.0.0/24',
      cgroupsPerQOS: false,
      evictionHard: {},
      statusSettleMs: 10,
    },
    {
      client: new KubeClient({ transport: new StandaloneTransport() }),
      standalone: true,
      cri: cri.connection,
      clock: systemClock,
      random: systemRandom,
      logger,
      onPodCIDR: (cidr) => void podCIDRs.push(cidr),
    },
  );
  await kubelet.start(AbortSignal.timeout(10_000));
  try {
    await vi.waitFor(() => expect(cri.running()).toHaveLength(1), soon);
    await vi.waitFor(() => expect(told).toContain('Started'), soon);
    expect(podCIDRs).toEqual(['10.9.0.0/24']);
    await writeFile(join(dir, 'manifests', 'st.json'), manifest('busybox:2'));
    await vi.waitFor(() => {
      expect(cri.running()).toHaveLength(1);
      expect(cri.container('web').config.image?.image).toBe('sha256:two');
    }, soon);
    await rm(join(dir, 'manifests', 'st.json'));
    await vi.waitFor(() => expect(cri.sandboxes.size).toBe(0), soon);
    expect(troubles).toEqual([]);
  } finally {
    await kubelet.stop(AbortSignal.timeout(5000));
  }
});

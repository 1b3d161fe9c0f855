import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectCri } from '@coxswain/cri';
import { Kubelet } from '@coxswain/kubelet';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { startTestCluster } from '@coxswain/testing';
import { expect, it } from 'vitest';
import { processCriServer } from './process-cri.js';

it('runs the pods of a kubelet as processes', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cri-processes-'));
  const cri = processCriServer(`unix://${join(dir, 'cri.sock')}`, systemClock, systemRandom);
  await cri.start(AbortSignal.timeout(10_000));
  const connection = connectCri({ endpoint: cri.endpoint });
  await using cluster = await startTestCluster({ nodes: 0, realTime: true });
  const kubelet = new Kubelet(
    {
      nodeName: 'processes',
      nodeIPs: ['127.0.0.1'],
      address: '127.0.0.1',
      port: 0,
      rootDir: join(dir, 'kubelet'),
      podLogsDir: join(dir, 'pods'),
      containerLogsDir: join(dir, 'containers'),
      authentication: { anonymous: true, webhook: false },
      authorization: 'AlwaysAllow',
      cgroupsPerQOS: false,
      mountVolumes: false,
      evictionHard: {},
    },
    {
      client: cluster.clientAs('system:node:processes', 'system:nodes'),
      cri: connection,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
    },
  );
  await kubelet.start(AbortSignal.timeout(20_000));
  try {
    const pods = cluster.client.api.pods('default');
    const container = (name: string, script: string) => ({
      name,
      image: 'any',
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', script],
      env: [{ name: 'WHO', value: 'world' }],
    });
    const spec = { restartPolicy: 'Never', terminationGracePeriodSeconds: 5, automountServiceAccountToken: false };
    const make = (name: string, script: string) =>
      pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { ...spec, containers: [container('main', script)] } });

    await make('ends', 'echo "hello $WHO"; exit 3');
    const ended = await cluster.eventually(async () => {
      const pod = await pods.get('ends');
      return pod.status?.phase === 'Failed' && pod;
    });
    expect(ended.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
    expect(await readFile(join(dir, 'pods', `default_ends_${ended.metadata.uid}`, 'main', '0.log'), 'utf8')).toMatch(/^\S+ stdout F hello world\n$/);

    await make('stays', 'trap "exit 0" TERM; while :; do sleep 0.05; done');
    const running = await cluster.eventually(async () => {
      const pod = await pods.get('stays');
      return pod.status?.phase === 'Running' && pod;
    });
    const containerId = String(running.status?.containerStatuses?.[0]?.containerID).split('//')[1] ?? '';
    const { stdout, exitCode } = await connection.runtime.execSync({ containerId, cmd: ['sh', '-c', 'echo "in $WHO"; exit 7'], timeout: 10n });
    expect([Buffer.from(stdout).toString(), exitCode]).toEqual(['in world\n', 7]);
    await pods.delete('stays');
    await cluster.eventually(async () => (await pods.list()).items.every((p) => p.metadata.name !== 'stays'));
  } finally {
    await kubelet.stop(AbortSignal.timeout(5000));
    connection.close();
    await cri.stop(AbortSignal.timeout(5000));
    await rm(dir, { recursive: true, force: true });
  }
}, 120_000);

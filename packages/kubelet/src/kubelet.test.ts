import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '@coxswain/sdk-testing';
import type { KubeletConfig } from './options.js';
import { NodeUnderTest } from './testing/node-under-test.js';

const web = { name: 'web', image: 'busybox:1' };
const start = (config?: KubeletConfig, events?: boolean) => NodeUnderTest.start(new FakeClock(), config, events);
let node: NodeUnderTest;
afterEach(() => node.destroy());

describe('a pod', () => {
  it('runs, is reported, and is deleted for good', async () => {
    node = await start();
    await node.until(() => node.api.get('/api/v1/nodes/node-1') !== undefined);
    node.pod('a', { containers: [web] });
    await node.until(() => node.phase('a') === 'Running');
    const status = node.status('a');
    expect(status).toMatchObject({ podIP: '10.0.0.2', hostIP: '192.0.2.1', qosClass: 'BestEffort' });
    expect(status.containerStatuses[0]).toMatchObject({
      name: 'web',
      ready: true,
      started: true,
      restartCount: 0,
      imageID: 'sha256:busybox',
      containerID: 'containerd://c2',
    });
    expect(Object.fromEntries(status.conditions.map((c: { type: string; status: string }) => [c.type, c.status]))).toEqual({
      PodReadyToStartContainers: 'True',
      Initialized: 'True',
      Ready: 'True',
      ContainersReady: 'True',
      PodScheduled: 'True',
    });
    node.api.deletePod('a', 7);
    await node.until(() => node.api.get('/api/v1/namespaces/default/pods/a') === undefined);
    expect(node.cri.calls).toEqual([
      'runPodSandbox a',
      'createContainer web#0',
      'startContainer web',
      'stopContainer web 7s',
      'stopPodSandbox',
      'removeContainer',
      'removePodSandbox',
    ]);
    expect(node.cri.sandboxes.size).toBe(0);
    await node.until(() => node.api.events().some((e) => e.includes('Killing')));
    expect(node.api.events().map((e) => e.split(':')[0])).toEqual(
      expect.arrayContaining(['Normal Pulled', 'Normal Created', 'Normal Started', 'Normal Killing']),
    );
  });

  it('is adopted after a kill -9 of the kubelet, and nothing is started twice', async () => {
    node = await start();
    node.pod('a', { containers: [web] });
    await node.until(() => node.phase('a') === 'Running');
    await node.stopKubelet();
    const calls = node.cri.calls.length;
    await node.startKubelet();
    node.pod('b', { containers: [web] });
    await node.until(() => node.phase('b') === 'Running');
    expect(node.cri.calls.slice(calls)).toEqual(['runPodSandbox b', 'createContainer web#0', 'startContainer web']);
    // Deleted while no kubelet ran: an orphan, stopped and removed.
    await node.stopKubelet();
    node.api.remove('/api/v1/namespaces/default/pods/a');
    await node.startKubelet();
    await node.until(() => node.cri.sandboxes.size === 1);
    expect(node.cri.running()).toEqual(['web']);
  });

  it('restarts a container at once, then after 10 s, 20 s …', async () => {
    node = await start();
    node.pod('a', { containers: [web] });
    await node.until(() => node.phase('a') === 'Running');
    node.cri.exit('web', 3);
    await node.until(() => node.status('a').containerStatuses[0].restartCount === 1);
    expect(node.status('a').containerStatuses[0].lastState.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
    node.cri.exit('web', 3);
    await node.until(() => node.status('a').containerStatuses[0].state.waiting?.reason === 'CrashLoopBackOff');
    expect(node.status('a').containerStatuses[0].state.waiting.message).toBe('back-off 10s restarting failed container=web pod=a_default(uid-a)');
    expect(node.phase('a')).toBe('Running');
    await node.clock.advance(9_000);
    expect(node.cri.running()).toEqual([]);
    await node.untilWithin(2_000, () => node.cri.running().length === 1);
    node.cri.exit('web', 3);
    await node.until(() => node.status('a').containerStatuses[0].state.waiting?.message?.startsWith('back-off 20s') === true);
  });

  it('succeeds or fails by its restart policy', async () => {
    node = await start();
    node.pod('ok', { restartPolicy: 'Never', containers: [web] });
    await node.until(() => node.phase('ok') === 'Running');
    node.cri.exit('web', 0);
    await node.until(() => node.phase('ok') === 'Succeeded');
    expect(node.status('ok').conditions.find((c: { type: string }) => c.type === 'Ready')).toMatchObject({ status: 'False', reason: 'PodCompleted' });
    node.pod('bad', { restartPolicy: 'Never', containers: [{ ...web, name: 'bad' }] });
    await node.until(() => node.phase('bad') === 'Running');
    node.cri.exit('bad', 9);
    await node.until(() => node.phase('bad') === 'Failed');
    expect(node.cri.calls.filter((c) => c.startsWith('startContainer'))).toHaveLength(2);
  });

  it('runs init containers in order, and a sidecar through its startup probe', async () => {
    node = await start();
    let started = false;
    node.cri.execResult = () => ({ exitCode: started ? 0 : 1, stdout: '' });
    node.pod('a', {
      initContainers: [
        { ...web, name: 'first' },
        { ...web, name: 'side', restartPolicy: 'Always', startupProbe: { exec: { command: ['up'] }, periodSeconds: 1, failureThreshold: 30 } },
        { ...web, name: 'last' },
      ],
      containers: [web],
    });
    await node.until(() => node.cri.running().includes('first'));
    expect(node.cri.running()).toEqual(['first']);
    node.cri.exit('first', 0);
    await node.until(() => node.cri.running().includes('side'));
    await node.clock.advance(3_000);
    expect(node.cri.running()).toEqual(['side']);
    started = true;
    await node.untilWithin(2_000, () => node.cri.running().includes('last'));
    expect(node.phase('a')).toBe('Pending');
    node.cri.exit('last', 0);
    await node.until(() => node.phase('a') === 'Running');
    node.api.deletePod('a');
    await node.until(() => node.api.get('/api/v1/namespaces/default/pods/a') === undefined);
    const stops = node.cri.calls.filter((c) => c.startsWith('stopContainer')).map((c) => c.split(' ')[1]);
    expect(stops).toEqual(['web', 'side']);
  });

  it('fails with an init container, and says which one held it back', async () => {
    node = await start();
    node.pod('a', {
      restartPolicy: 'Never',
      initContainers: [
        { ...web, name: 'first' },
        { ...web, name: 'second' },
      ],
      containers: [web],
    });
    await node.until(() => node.cri.running().includes('first'));
    node.cri.exit('first', 0);
    await node.until(() => node.cri.running().includes('second'));
    node.cri.exit('second', 1);
    await node.until(() => node.phase('a') === 'Failed');
    const status = node.status('a');
    expect(status.conditions.find((c: { type: string }) => c.type === 'Initialized')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [second]',
    });
    expect(status.containerStatuses[0].state).toEqual({ waiting: { reason: 'PodInitializing' } });
  });

  it('is restarted by its liveness probe and made ready by its readiness probe', async () => {
    node = await start();
    let healthy = true;
    let ready = false;
    node.cri.execResult = (_id, [cmd]) => ({ exitCode: (cmd === 'live' ? healthy : ready) ? 0 : 1, stdout: 'no' });
    const probe = (cmd: string) => ({ exec: { command: [cmd] }, periodSeconds: 1, failureThreshold: 2 });
    node.pod('a', { containers: [{ ...web, livenessProbe: probe('live'), readinessProbe: probe('ready') }] });
    await node.until(() => node.phase('a') === 'Running');
    expect(node.status('a').containerStatuses[0]).toMatchObject({ ready: false, started: true });
    ready = true;
    await node.untilWithin(3_000, () => node.status('a').containerStatuses[0].ready === true);
    healthy = false;
    await node.untilWithin(4_000, () => node.cri.calls.some((c) => c.startsWith('stopContainer')));
    healthy = true;
    await node.untilWithin(3_000, () => node.status('a').containerStatuses[0].restartCount === 1);
    await node.until(() => node.api.events().some((e) => e === 'Warning Unhealthy: Liveness probe failed: no'));
    expect(node.api.events()).toContain('Normal Killing: Container web failed liveness probe, will be restarted');
    // The second time at once, too; from then on it has to wait, as after an end of its own.
    healthy = false;
    await node.untilWithin(5_000, () => node.status('a').containerStatuses[0].restartCount === 2);
    await node.untilWithin(5_000, () => node.status('a').containerStatuses[0].state.waiting?.reason === 'CrashLoopBackOff');
    expect(node.status('a').containerStatuses[0].restartCount).toBe(2);
  });

  it('runs the hooks of all its containers as it ends, and stops a sidecar after those it serves', async () => {
    node = await start();
    const lifecycle = { preStop: { exec: { command: ['bye'] } } };
    node.pod('a', { initContainers: [{ ...web, name: 'side', restartPolicy: 'Always', lifecycle }], containers: [{ ...web, lifecycle }] });
    await node.until(() => node.phase('a') === 'Running');
    const before = node.cri.calls.length;
    node.api.deletePod('a', 9);
    await node.until(() => node.api.get('/api/v1/namespaces/default/pods/a') === undefined);
    const calls = node.cri.calls.slice(before).filter((call) => /^(execSync|stopContainer)/.test(call));
    expect(calls.slice(0, 2).sort()).toEqual(['execSync side bye', 'execSync web bye']);
    expect(calls.slice(2)).toEqual(['stopContainer web 9s', 'stopContainer side 9s']);
  });

  it('says what is wrong with the image of a volume', async () => {
    node = await start();
    node.cri.failures.set('pullImage', new Error('no such host'));
    node.pod('a', {
      containers: [{ ...web, volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
      volumes: [{ name: 'data', image: { reference: 'nowhere/x:1' } }],
    });
    await node.until(() => node.status('a').containerStatuses?.[0].state.waiting?.reason === 'ErrImagePull');
    await node.untilWithin(2_000, () => node.status('a').containerStatuses?.[0].state.waiting?.reason === 'ImagePullBackOff');
    expect(node.status('a').containerStatuses[0].state.waiting.message).toContain('Back-off pulling image "nowhere/x:1"');
    node.cri.failures.clear();
    await node.untilWithin(15_000, () => node.phase('a') === 'Running');
  });

  it('says what is wrong with its image', async () => {
    node = await start();
    node.cri.failures.set('pullImage', new Error('no such host'));
    node.pod('a', { containers: [{ name: 'web', image: 'nowhere/x:1' }] });
    node.pod('b', { containers: [{ name: 'web', image: 'Not A Name' }] });
    node.pod('c', { containers: [{ name: 'web', image: 'x:1', imagePullPolicy: 'Never' }] });
    await node.until(() => node.status('a').containerStatuses?.[0].state.waiting?.reason === 'ErrImagePull');
    await node.untilWithin(2_000, () => node.status('a').containerStatuses?.[0].state.waiting?.reason === 'ImagePullBackOff');
    await node.until(() => node.status('b').containerStatuses?.[0].state.waiting?.reason === 'InvalidImageName');
    await node.until(() => node.status('c').containerStatuses?.[0].state.waiting?.reason === 'ErrImageNeverPull');
    node.cri.failures.clear();
    await node.untilWithin(15_000, () => node.phase('a') === 'Running');
    expect(node.cri.running()).toEqual(['web']);
  });

  it('waits for a config map and starts when it comes', async () => {
    node = await start();
    node.pod('a', {
      containers: [
        {
          ...web,
          env: [
            { name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a' } } },
            { name: 'B', value: '<$(A)> $$(A) $(C)' },
          ],
        },
      ],
    });
    await node.until(() => node.status('a').containerStatuses?.[0].state.waiting?.reason === 'CreateContainerConfigError');
    expect(node.status('a').containerStatuses[0].state.waiting.message).toBe('configmap "conf" not found');
    node.api.put('/api/v1/namespaces/default/configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'conf', namespace: 'default' },
      data: { a: 'x' },
    });
    await node.until(() => node.phase('a') === 'Running');
    const env = Object.fromEntries((node.cri.container('web').config.envs ?? []).map((e) => [e.key, Buffer.from(e.value ?? []).toString()]));
    expect(env).toMatchObject({ A: 'x', B: '<x> $(A) $(C)' });
  });

  it('sees changes of config maps and of its own labels, also after it was adopted', async () => {
    node = await start();
    const put = (a: string) =>
      node.api.put('/api/v1/namespaces/default/configmaps', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'conf', namespace: 'default' },
        data: { a },
      });
    const file = (plugin: string, path: string) => readFileSync(join(node.dir, 'root/pods/uid-a/volumes', plugin, path), 'utf8');
    put('1');
    const spec = {
      containers: [web],
      volumes: [
        { name: 'c', configMap: { name: 'conf' } },
        { name: 'd', downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: "metadata.labels['x']" } }] } },
      ],
    };
    node.pod('a', spec, { labels: { x: '1' } });
    await node.until(() => node.phase('a') === 'Running');
    expect([file('kubernetes.io~configmap', 'c/a'), file('kubernetes.io~downward-api', 'd/l')]).toEqual(['1', '1']);
    await node.stopKubelet();
    await node.startKubelet();
    node.pod('b', { containers: [web] });
    await node.until(() => node.phase('b') === 'Running');
    put('2');
    node.api.put('/api/v1/namespaces/default/pods', { ...node.api.pod('a'), metadata: { ...node.api.pod('a').metadata, labels: { x: '2' } } });
    await node.until(() => file('kubernetes.io~configmap', 'c/a') === '2' && file('kubernetes.io~downward-api', 'd/l') === '2');
    expect(node.status('a').containerStatuses[0].restartCount).toBe(0);
  });

  it('has its status written once the API server is back', async () => {
    node = await start();
    node.pod('a', { containers: [web] });
    await node.until(() => node.phase('a') === 'Running');
    node.api.down = true;
    node.cri.exit('web', 1);
    await node.untilWithin(5_000, () => node.cri.running().length === 1);
    node.api.down = false;
    await node.untilWithin(30_000, () => node.status('a').containerStatuses[0].restartCount === 1);
    expect(node.status('a').containerStatuses[0].lastState.terminated.exitCode).toBe(1);
  });

  it('is not started again after its deadline', async () => {
    node = await start();
    node.pod('a', { activeDeadlineSeconds: 5, containers: [web] });
    await node.until(() => node.phase('a') === 'Running');
    await node.untilWithin(7_000, () => node.phase('a') === 'Failed');
    expect(node.status('a')).toMatchObject({ reason: 'DeadlineExceeded' });
    expect(node.cri.running()).toEqual([]);
  });

  it('is rejected when it does not fit', async () => {
    node = await start();
    node.pod('a', { containers: [{ ...web, resources: { requests: { cpu: '1000' } } }] });
    await node.until(() => node.phase('a') === 'Failed');
    expect(node.status('a').reason).toBe('OutOfcpu');
    expect(node.status('a').containerStatuses).toBeUndefined();
    expect(node.status('a').message).toMatch(/^Pod was rejected: Node didn't have enough resource: cpu, requested: 1000000, used: 0, capacity: \d+$/);
    expect(node.cri.calls).toEqual([]);
  });

  it('gets another sandbox when its own dies', async () => {
    node = await start({}, false);
    node.pod('a', { containers: [web] });
    await node.until(() => node.phase('a') === 'Running');
    await node.cri.connection.runtime.stopPodSandbox({ podSandboxId: 's1' });
    await node.untilWithin(5_000, () => node.cri.calls.filter((c) => c === 'runPodSandbox a').length === 2);
    await node.untilWithin(5_000, () => node.status('a').containerStatuses[0].restartCount === 1 && node.status('a').containerStatuses[0].ready);
    await node.until(() => node.api.events().some((e) => e.startsWith('Normal SandboxChanged')));
    expect(node.cri.running()).toEqual(['web']);
  });
});

describe('a static pod', () => {
  const manifest = (image: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: st}\nspec: {containers: [{name: web, image: '${image}'}]}\n`;
  const mirror = () => node.api.get('/api/v1/namespaces/default/pods/st-node-1');

  it('runs without the API, is mirrored, follows its manifest, and goes with it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'static-'));
    try {
      await writeFile(join(dir, 'st.yaml'), manifest('busybox:1'));
      node = await start({ staticPodPath: dir });
      await node.until(() => mirror()?.status?.['phase'] === 'Running');
      const uid = mirror()?.metadata.uid;
      node.cri.images.set('busybox:2', { id: 'sha256:two' });
      await writeFile(join(dir, 'st.yaml'), manifest('busybox:2'));
      await node.untilWithin(
        30_000,
        () => mirror()?.status?.['phase'] === 'Running' && node.cri.running().length === 1 && node.cri.container('web').config.image?.image === 'sha256:two',
      );
      expect(mirror()?.metadata.uid).toBeDefined();
      expect(uid).toBeDefined();
      node.api.remove('/api/v1/namespaces/default/pods/st-node-1');
      await node.until(() => mirror() !== undefined);
      await rm(join(dir, 'st.yaml'));
      await node.untilWithin(30_000, () => mirror() === undefined && node.cri.sandboxes.size === 0);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});

describe('the node', () => {
  it('evicts under pressure and says so', async () => {
    node = await start({ evictionHard: { 'memory.available': '100%' }, evictionMonitorPeriodMs: 1000 });
    node.pod('a', { containers: [web] });
    await node.untilWithin(5_000, () => node.phase('a') === 'Failed');
    expect(node.status('a')).toMatchObject({ reason: 'Evicted' });
    expect(node.status('a').conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }));
    expect(node.cri.running()).toEqual([]);
    const pressure = () =>
      (node.api.get('/api/v1/nodes/node-1')?.status?.conditions as { type: string; status: string }[] | undefined)?.find((c) => c.type === 'MemoryPressure')
        ?.status;
    await node.untilWithin(2_000, () => pressure() === 'True');
  });

  it('is not ready while the runtime or its network is not, and recovers', async () => {
    node = await start();
    const ready = () =>
      (node.api.get('/api/v1/nodes/node-1')?.status?.conditions as { type: string; status: string; message: string }[] | undefined)?.find(
        (c) => c.type === 'Ready',
      );
    await node.until(() => ready()?.status === 'True');
    expect(node.api.get('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1')).toBeDefined();
    node.cri.networkReady = false;
    await node.untilWithin(11_000, () => ready()?.status === 'False');
    expect(ready()?.message).toBe('container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized');
    node.cri.networkReady = true;
    await node.untilWithin(11_000, () => ready()?.status === 'True');
  });
});

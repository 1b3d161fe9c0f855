import { readdir, readFile, stat } from 'node:fs/promises';
import https from 'node:https';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { importImage, startContainerd, startCriContainerd } from '@coxswain/cri-containerd';
import { Cgroup, mounts } from '@coxswain/linux';
import { buildBusyboxImage } from '@coxswain/oci';
import { systemClock } from '@coxswain/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { RealNode, type TestRuntime } from './testing/real-node.js';

const image = 'example.test/busybox:1';
const sleeper = { name: 'main', image, command: ['sh', '-c', 'trap exit TERM; while :; do sleep 1 & wait $!; done'] };

async function startRuntime(dir: string): Promise<TestRuntime> {
  const containerd = await startContainerd({
    root: join(dir, 'c-root'),
    state: join(dir, 'c-state'),
    socket: join(dir, 'containerd.sock'),
    clock: systemClock,
  });
  const cri = await startCriContainerd({
    endpoint: `unix://${dir}/cri.sock`,
    containerdSocket: containerd.socket,
    containerdRoot: join(dir, 'c-root'),
    root: join(dir, 'cri-root'),
    state: join(dir, 'cri-state'),
    cni: { confDir: join(dir, 'cni'), binDirs: ['/usr/lib/cni'] },
  });
  const built = await buildBusyboxImage();
  await importImage(containerd.socket, Readable.from([await built.layoutTar()]), { names: [image] });
  return {
    endpoint: cri.endpoint,
    async destroy() {
      await cri.destroyPods();
      await cri.stop();
      await containerd.stop();
    },
  };
}

describe('a kubelet on a real runtime', () => {
  let node: RealNode;
  beforeAll(async () => {
    node = await RealNode.start(217, startRuntime);
  });
  afterAll(() => node?.destroy());

  const get = (path: string) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      https
        .get({ host: '127.0.0.1', port: node.kubelet.port, path, rejectUnauthorized: false }, (response) => {
          let body = '';
          response.on('data', (chunk) => (body += String(chunk)));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        })
        .on('error', reject);
    });

  it('mounts every kind of volume, keeps them current, and leaves nothing', async () => {
    const objects = '/api/v1/namespaces/default';
    node.api.put(`${objects}/configmaps`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'conf', namespace: 'default' },
      data: { key: 'one', other: 'x' },
    });
    node.api.put(`${objects}/secrets`, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'sec', namespace: 'default' },
      data: { password: Buffer.from('hunter2').toString('base64') },
    });
    node.pod('vols', {
      securityContext: { fsGroup: 2000 },
      hostAliases: [{ ip: '9.9.9.9', hostnames: ['nine'] }],
      containers: [
        {
          ...sleeper,
          resources: { requests: { cpu: '100m', memory: '16Mi' }, limits: { cpu: '200m', memory: '64Mi' } },
          env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
          volumeMounts: [
            { name: 'conf', mountPath: '/conf' },
            { name: 'conf', mountPath: '/one-file', subPath: 'key' },
            { name: 'sec', mountPath: '/sec' },
            { name: 'all', mountPath: '/all' },
            { name: 'empty', mountPath: '/empty', subPath: 'a/b' },
            { name: 'mem', mountPath: '/mem' },
            { name: 'host', mountPath: '/host' },
          ],
        },
      ],
      volumes: [
        { name: 'conf', configMap: { name: 'conf' } },
        { name: 'sec', secret: { secretName: 'sec', defaultMode: 0o400 } },
        {
          name: 'all',
          projected: {
            sources: [
              { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } },
              { configMap: { name: 'conf', items: [{ key: 'other', path: 'deep/other' }] } },
              { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
            ],
          },
        },
        { name: 'empty', emptyDir: {} },
        { name: 'mem', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        { name: 'host', hostPath: { path: join(node.dir, 'made'), type: 'DirectoryOrCreate' } },
      ],
    });
    await node.until(() => node.status('vols').phase === 'Running');
    expect(
      await node.exec('vols', 'sh', '-c', 'cat /conf/key /one-file /sec/password /all/token /all/deep/other /all/labels; stat -c " %a %g" -L /sec/password'),
    ).toBe('oneonehunter2a-tokenxapp="vols" 440 2000\n');
    expect(
      await node.exec('vols', 'sh', '-c', 'touch /empty/file /mem/x /host/y && df /mem | tail -1 | awk "{print \\$2}"; echo $POD_IP; grep nine /etc/hosts'),
    ).toBe(`1024\n${node.status('vols').podIP}\n9.9.9.9\tnine\n`);
    expect(await readdir(join(node.dir, 'kubelet/pods/uid-vols/volumes/kubernetes.io~empty-dir/empty/a/b'))).toEqual(['file']);
    const cgroup = await Cgroup.at(`${node.kubelet.options.cgroupRoot}/kubepods/burstable/poduid-vols`);
    expect((await cgroup.stats()).memory.limitBytes).toBe(64 * 2 ** 20);
    expect((await cgroup.processes()).length).toBeGreaterThan(0);
    node.api.put(`${objects}/configmaps`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'conf', namespace: 'default' },
      data: { key: 'two', other: 'x' },
    });
    await node.until(async () => (await node.exec('vols', 'cat', '/conf/key')) === 'two', 5_000);
    node.api.deletePod('vols', 1);
    await node.until(() => node.gone('vols'));
    expect((await mounts()).filter((m) => m.mountPoint.includes('uid-vols'))).toEqual([]);
    expect(await stat(join(node.dir, 'kubelet/pods/uid-vols')).catch(() => 'gone')).toBe('gone');
    expect(await cgroup.exists()).toBe(false);
    expect(await readdir(join(node.dir, 'logs/pods'))).toEqual([]);
    expect(await readdir(join(node.dir, 'logs/containers'))).toEqual([]);
  });

  it('restarts a process that was killed, shows its last words, and serves its logs', async () => {
    node.pod('crash', { containers: [{ ...sleeper, command: ['sh', '-c', 'echo hello; echo -n bye > /dev/termination-log; exec sleep 1000'] }] });
    await node.until(() => node.status('crash').phase === 'Running');
    await node.until(async () => (await get('/containerLogs/default/crash/main')).body.startsWith('hello'));
    const cgroup = await Cgroup.at(`${node.kubelet.options.cgroupRoot}/kubepods/besteffort/poduid-crash`);
    const before = node.status('crash').containerStatuses[0].containerID;
    const pids = await cgroup.processes();
    const began = performance.now();
    for (const pid of pids) if ((await readCommand(pid)).startsWith('sleep')) process.kill(pid, 'SIGKILL');
    await node.until(() => node.status('crash').containerStatuses[0].restartCount === 1 && node.status('crash').containerStatuses[0].ready);
    console.log(`restart after kill -9: ${Math.round(performance.now() - began)} ms`);
    expect(node.status('crash').containerStatuses[0].lastState.terminated).toMatchObject({ exitCode: 137, message: 'bye', containerID: before });
    expect((await get('/containerLogs/default/crash/main?previous=true')).body).toBe('hello\n');
    expect((await get('/containerLogs/default/crash/none')).status).toBe(404);
  });

  it('is taken over by the next kubelet without a change', async () => {
    const { restartCount, containerID } = node.status('crash').containerStatuses[0];
    await node.kubelet.stop(AbortSignal.timeout(5000));
    await node.startKubelet();
    node.pod('after', { containers: [sleeper] });
    await node.until(() => node.status('after').phase === 'Running');
    expect(node.status('crash').containerStatuses[0]).toMatchObject({ restartCount, containerID, ready: true });
    node.api.deletePod('after', 2);
    await node.until(() => node.gone('after'));
  });

  it('runs commands and serves statistics over its API', async () => {
    const ws = new WebSocket(
      `wss://127.0.0.1:${node.kubelet.port}/exec/default/crash/main?command=sh&command=-c&command=${encodeURIComponent('echo out; cat')}&input=1&output=1&error=1`,
      ['v5.channel.k8s.io'],
      { rejectUnauthorized: false },
    );
    const channels: Record<number, string> = {};
    ws.on('message', (data: Buffer) => {
      channels[data[0] ?? 0] = (channels[data[0] ?? 0] ?? '') + data.subarray(1).toString();
    });
    await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
    ws.send(Buffer.concat([Buffer.from([0]), Buffer.from('typed')]));
    await node.until(() => channels[1] === 'out\ntyped');
    ws.send(Buffer.from([255, 0]));
    await node.until(() => channels[3] !== undefined);
    expect(JSON.parse(channels[3] ?? '{}')).toMatchObject({ status: 'Success' });
    ws.close();
    const summary = JSON.parse((await get('/stats/summary')).body);
    expect(summary.pods.find((p: { podRef: { name: string } }) => p.podRef.name === 'crash').containers[0]).toMatchObject({
      name: 'main',
      memory: { workingSetBytes: expect.any(Number) },
    });
    expect((await get('/metrics/resource')).body).toMatch(/container_cpu_usage_seconds_total\{container="main",namespace="default",pod="crash"\} [\d.e-]+ \d+/);
    expect((await get('/pods')).body).toContain('"crash"');
  });

  it('resizes a running container in place', async () => {
    const resources = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } });
    node.pod('grow', { containers: [{ ...sleeper, resources: resources('100m', '32Mi') }] });
    await node.until(() => node.status('grow').phase === 'Running');
    const pod = node.api.pod('grow');
    const containers = [{ ...sleeper, resources: resources('300m', '64Mi') }];
    node.api.put('/api/v1/namespaces/default/pods', { ...pod, metadata: { ...pod.metadata, generation: 2 }, spec: { ...pod.spec, containers } });
    await node.until(() => node.status('grow').containerStatuses[0].resources.limits?.memory === '64Mi');
    expect(node.status('grow').containerStatuses[0]).toMatchObject({ restartCount: 0, resources: { limits: { cpu: '300m', memory: '64Mi' } } });
    const stats = await (await Cgroup.at(`${node.kubelet.options.cgroupRoot}/kubepods/poduid-grow`)).stats();
    expect(stats.memory.limitBytes).toBe(64 * 2 ** 20);
    node.api.deletePod('grow', 1);
    await node.until(() => node.gone('grow'));
  });

  it('probes over HTTP and TCP in the pod network', async () => {
    node.pod('probed', {
      containers: [
        {
          ...sleeper,
          command: ['sh', '-c', 'mkdir /www; echo ok > /www/index.html; exec httpd -f -p 8080 -h /www'],
          ports: [{ name: 'web', containerPort: 8080 }],
          readinessProbe: { httpGet: { path: '/', port: 'web' }, periodSeconds: 1 },
          livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
        },
      ],
    });
    await node.until(() => node.status('probed').containerStatuses?.[0].ready === true);
    expect(node.status('probed').containerStatuses[0].restartCount).toBe(0);
    node.api.deletePod('probed', 1);
    await node.until(() => node.gone('probed'));
  });

  it('says how fast it is', async () => {
    const times: number[] = [];
    for (let i = 0; i < 10; i++) {
      const began = performance.now();
      node.pod(`one-${i}`, { containers: [sleeper] });
      await node.until(() => node.status(`one-${i}`).phase === 'Running');
      times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    const began = performance.now();
    for (let i = 0; i < 20; i++) node.pod(`many-${i}`, { containers: [sleeper] });
    await node.until(() => Array.from({ length: 20 }, (_, i) => node.status(`many-${i}`).phase).every((p) => p === 'Running'), 60_000);
    const took = performance.now() - began;
    const deleting = performance.now();
    for (let i = 0; i < 20; i++) node.api.deletePod(`many-${i}`, 5);
    for (let i = 0; i < 10; i++) node.api.deletePod(`one-${i}`, 5);
    await node.until(
      () =>
        Array.from({ length: 20 }, (_, i) => node.gone(`many-${i}`)).every(Boolean) &&
        Array.from({ length: 10 }, (_, i) => node.gone(`one-${i}`)).every(Boolean),
      60_000,
    );
    console.log(
      `pod start p50 ${Math.round(times[5] ?? 0)} ms, max ${Math.round(times[9] ?? 0)} ms; 20 at once ${(20_000 / took).toFixed(1)} pods/s; 30 deleted in ${Math.round(performance.now() - deleting)} ms`,
    );
    expect(node.connection).toBeDefined();
  });
});

async function readCommand(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
}

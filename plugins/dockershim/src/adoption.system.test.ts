import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { connectCri, ContainerState, type CriConnection, NamespaceMode, PodSandboxState } from '@coxswain/cri';
import { mounts, signalProcess } from '@coxswain/linux';
import { buildBusyboxImage } from '@coxswain/oci';
import { systemClock } from '@coxswain/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from './engine/engine.js';
import { importDockerImage } from './server.js';
import { TestNode } from './test-node.js';

const WITHIN = { timeout: 30_000 };

/** The server is a process that can be killed; so is the engine. */
describe('a killed server', () => {
  let node: TestNode;
  let server: ChildProcess;
  let cri: CriConnection;
  let engine: Engine;
  let serial = 0;

  const startServer = async () => {
    const script = fileURLToPath(new URL('./test-server.ts', import.meta.url));
    server = spawn(process.execPath, ['--conditions=coxswain-source', '--import', 'tsx', script, JSON.stringify(node.options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await Promise.race([once(server.stdout!, 'data'), once(server, 'exit').then(() => Promise.reject(new Error('the server did not start')))]);
    cri = connectCri({ endpoint: node.options.endpoint });
  };
  const killServer = async () => {
    cri.close();
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  const podConfig = (n: number) => ({
    metadata: { name: `p${n}`, uid: `u${n}`, namespace: 'd', attempt: 0 },
    logDirectory: join(node.dir, `logs${n}`),
    linux: { securityContext: { namespaceOptions: { pid: NamespaceMode.CONTAINER } } },
  });
  const run = async (command: string) => {
    const n = ++serial;
    const config = podConfig(n);
    const { podSandboxId } = await cri.runtime.runPodSandbox({ config });
    const { containerId } = await cri.runtime.createContainer({
      podSandboxId,
      sandboxConfig: config,
      config: {
        metadata: { name: 'c' },
        image: { image: 'bb:1' },
        command: ['sh', '-c', command],
        logPath: 'c.log',
        linux: { securityContext: config.linux.securityContext },
      },
    });
    await cri.runtime.startContainer({ containerId });
    const path = join(node.dir, `logs${n}/c.log`);
    const log = () =>
      [`${path}.1`, path]
        .flatMap((file) => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []))
        .filter(Boolean)
        .map((l) => l.split(' ').slice(3).join(' '));
    return { podSandboxId, containerId, path, log };
  };
  const status = async (containerId: string) => {
    const answer = await cri.runtime.containerStatus({ containerId, verbose: true });
    if (!answer.status) throw new Error('no status');
    return { ...answer.status, pid: (JSON.parse(answer.info['info'] as string) as { pid: number }).pid };
  };

  beforeAll(async () => {
    node = await TestNode.prepare(209);
    engine = new Engine({ socket: node.options.engineSocket, clock: systemClock });
    await startServer();
    // Beside the running server, as `cox image load` would: an OCI layout, which this engine does not know by itself.
    const image = await buildBusyboxImage({ tags: ['docker.io/library/bb:1'] });
    expect(await importDockerImage(node.options.engineSocket, Readable.from([await image.layoutTar()]))).toEqual(['docker.io/library/bb:1']);
  });
  afterAll(async () => {
    try {
      for (const { id } of (await cri.runtime.listPodSandbox({})).items) await cri.runtime.removePodSandbox({ podSandboxId: id });
      expect(await engine.containers.list()).toEqual([]);
    } finally {
      engine.close();
      await killServer();
      await node.destroy();
    }
    expect((await mounts()).filter((m) => m.mountPoint.startsWith(node.dir))).toEqual([]);
  });

  it('is succeeded by one that finds its containers and loses nothing, neither output, also over a rotation, nor exit codes', async () => {
    const running = await run('i=0; while :; do echo $i; i=$((i+1)); sleep 0.02; done');
    const ending = await run('echo before; while [ ! -e /stop ]; do sleep 0.02; done; echo after; exit 3');
    await expect.poll(() => ending.log(), WITHIN).toEqual(['before']);
    await expect.poll(() => running.log().length, WITHIN).toBeGreaterThan(3);
    // Rotated a moment before: the new file has nothing to say yet how far the old one has come.
    renameSync(running.path, `${running.path}.1`);
    await cri.runtime.reopenContainerLog({ containerId: running.containerId });
    const [pid, endingPid] = [(await status(running.containerId)).pid, (await status(ending.containerId)).pid];
    await killServer();
    writeFileSync(`/proc/${endingPid}/root/stop`, '');
    await expect.poll(async () => (await engine.containers.inspect(ending.containerId)).State.Running, WITHIN).toBe(false);
    const before = running.log().length;
    await startServer();
    expect(await status(running.containerId)).toMatchObject({ pid, state: ContainerState.CONTAINER_RUNNING });
    expect(await status(ending.containerId)).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 3, reason: 'Error' });
    expect(ending.log()).toEqual(['before', 'after']);
    await expect.poll(() => running.log().length, WITHIN).toBeGreaterThan(before + 10);
    const numbers = running.log().map(Number);
    expect(numbers).toEqual(numbers.map((_, i) => i));
    expect((await cri.runtime.podSandboxStatus({ podSandboxId: running.podSandboxId })).status?.state).toBe(PodSandboxState.SANDBOX_READY);
    await cri.runtime.stopContainer({ containerId: running.containerId, timeout: 0n });
    expect(await status(running.containerId)).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
  });

  it('goes on when the engine was killed and comes again: containers run, their output goes on, their ends are seen', async () => {
    const { containerId, podSandboxId, log } = await run('i=0; while [ ! -e /stop ]; do echo $i; i=$((i+1)); sleep 0.02; done; exit 5');
    const { pid } = await status(containerId);
    await expect.poll(() => log().length, WITHIN).toBeGreaterThan(3);
    signalProcess(node.engine.process, 'SIGKILL');
    await expect.poll(async () => (await cri.runtime.status({})).status?.conditions.find((c) => c.type === 'RuntimeReady')?.status, WITHIN).toBe(false);
    await expect(cri.image.listImages({})).rejects.toMatchObject({ code: 'unavailable' });
    await node.startEngine();
    await expect.poll(async () => (await cri.runtime.status({})).status?.conditions.find((c) => c.type === 'RuntimeReady')?.status, WITHIN).toBe(true);
    expect(await status(containerId)).toMatchObject({ pid, state: ContainerState.CONTAINER_RUNNING });
    expect((await cri.runtime.podSandboxStatus({ podSandboxId })).status?.state).toBe(PodSandboxState.SANDBOX_READY);
    const seen = log().length;
    await expect.poll(() => log().length, WITHIN).toBeGreaterThan(seen + 5);
    writeFileSync(`/proc/${pid}/root/stop`, '');
    await expect.poll(async () => await status(containerId), WITHIN).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 5 });
    // In order and nothing twice. What the engine had read and not yet written when it was killed is lost in the engine: one read of the pipe.
    const numbers = log().map(Number);
    const gaps = numbers.map((n, i) => n - (numbers[i - 1] ?? -1)).filter((step) => step !== 1);
    expect(gaps.every((step) => step > 1)).toBe(true);
    expect(gaps.length).toBeLessThanOrEqual(1);
  });

  it('leaves no half-made sandbox and no container without one behind', async () => {
    const { podSandboxId, containerId } = await run('sleep 1000');
    await killServer();
    const labels = (await engine.containers.inspect(podSandboxId)).Config.Labels ?? {};
    const pause = (await engine.images.list())[0]?.Id ?? '';
    const HostConfig = { NetworkMode: 'none', IpcMode: 'shareable', CgroupParent: '/k8s.io', LogConfig: { Type: 'none', Config: {} } };
    expect(Object.keys(labels)).toContain('io.coxswain.cri.record');
    const half = await engine.containers.create('half', { Image: pause, Entrypoint: ['/pause'], Labels: { ...labels }, HostConfig });
    const containerOf = (await engine.containers.inspect(containerId)).Config.Labels ?? {};
    const orphanRecord = JSON.parse(containerOf['io.coxswain.cri.record'] as string) as { sandboxId: string };
    orphanRecord.sandboxId = 'ab'.repeat(32);
    const orphan = await engine.containers.create('orphan', {
      Image: pause,
      Entrypoint: ['/pause'],
      Labels: { ...containerOf, 'io.coxswain.cri.record': JSON.stringify(orphanRecord) },
      HostConfig,
    });
    await startServer();
    const left = (await engine.containers.list()).map(({ Id }) => Id);
    expect(left).not.toContain(half.Id);
    expect(left).not.toContain(orphan.Id);
    expect((await cri.runtime.podSandboxStatus({ podSandboxId })).status?.state).toBe(PodSandboxState.SANDBOX_READY);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Readable } from 'node:stream';
import { connectCri, ContainerState, type CriConnection, NamespaceMode, PodSandboxState } from '@coxswain/cri';
import { createPinnedNamespaces, isPinnedNamespace, signalProcess } from '@coxswain/linux';
import { buildBusyboxImage } from '@coxswain/oci';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanCriState } from './clean-state.js';
import { connectContainerd } from './containerd/client.js';
import { findShims } from './containerd/shims.js';
import { importImage } from './images/import.js';
import { TestNode } from './test-node.js';

/** A node whose CRI server is a process that can be killed. */
describe('a killed server', () => {
  let node: TestNode;
  let server: ChildProcess;
  let cri: CriConnection;

  const startServer = async () => {
    const options = {
      endpoint: `unix://${node.dir}/killed.sock`,
      containerdSocket: node.containerd.socket,
      containerdRoot: join(node.dir, 'c-root'),
      root: join(node.dir, 'k-root'),
      state: join(node.dir, 'k-state'),
      namespace: 'killed',
      cni: { confDir: join(node.dir, 'cni'), binDirs: ['/usr/lib/cni'], cacheDir: join(node.dir, 'k-cni') },
    };
    server = spawn(
      process.execPath,
      ['--conditions=coxswain-source', '--import', 'tsx', fileURLToPath(new URL('./test-server.ts', import.meta.url)), JSON.stringify(options)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await Promise.race([once(server.stdout!, 'data'), once(server, 'exit').then(() => Promise.reject(new Error('the server did not start')))]);
    cri = connectCri({ endpoint: options.endpoint });
  };
  const killServer = async () => {
    cri.close();
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  let serial = 0;
  const run = async (command: string, pid = NamespaceMode.CONTAINER) => {
    const n = ++serial;
    const securityContext = { namespaceOptions: { pid } };
    const config = {
      metadata: { name: `p${n}`, uid: `u${n}`, namespace: 'd', attempt: 0 },
      logDirectory: join(node.dir, `logs${n}`),
      linux: { securityContext },
    };
    const { podSandboxId } = await cri.runtime.runPodSandbox({ config });
    const { containerId } = await cri.runtime.createContainer({
      podSandboxId,
      sandboxConfig: config,
      config: { metadata: { name: 'c' }, image: { image: 'bb:1' }, command: ['sh', '-c', command], logPath: 'c.log', linux: { securityContext } },
    });
    await cri.runtime.startContainer({ containerId });
    return {
      podSandboxId,
      containerId,
      log: () =>
        readFileSync(join(node.dir, `logs${n}/c.log`), 'utf8')
          .trim()
          .split('\n')
          .map((l) => l.split(' ').slice(3).join(' ')),
    };
  };
  const status = async (containerId: string) =>
    (await cri.runtime.containerStatus({ containerId, verbose: true })) as {
      status: NonNullable<Awaited<ReturnType<CriConnection['runtime']['containerStatus']>>['status']>;
      info: Record<string, string>;
    };
  const pidOf = async (containerId: string) => (JSON.parse((await status(containerId)).info.info as string) as { pid: number }).pid;

  beforeAll(async () => {
    node = await TestNode.start(202);
    await startServer();
    const image = await buildBusyboxImage({ tags: ['docker.io/library/bb:1'] });
    const containerd = connectContainerd({ socket: node.containerd.socket, namespace: 'killed' });
    await importImage(containerd, Readable.from([await image.layoutTar()]));
    containerd.close();
  });
  afterAll(async () => {
    for (const { id } of (await cri.runtime.listPodSandbox({})).items) await cri.runtime.removePodSandbox({ podSandboxId: id });
    await killServer();
    await cleanCriState(join(node.dir, 'k-state'));
    await node.destroy();
  });

  it('is succeeded by one that adopts its containers and loses nothing they wrote, even those that ended meanwhile', async () => {
    const running = await run('i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done');
    const ending = await run('echo before; while [ ! -e /stop ]; do sleep 0.02; done; echo after; exit 3');
    const shared = await run('sleep 1000', NamespaceMode.POD);
    await expect.poll(() => ending.log(), { timeout: 10_000 }).toEqual(['before']);
    const [pid, endingPid] = [await pidOf(running.containerId), await pidOf(ending.containerId)];
    await killServer();
    writeFileSync(`/proc/${endingPid}/root/stop`, '');
    await expect.poll(() => existsSync(`/proc/${endingPid}/root/stop`), { timeout: 10_000 }).toBe(false);
    await startServer();
    expect(await pidOf(running.containerId)).toBe(pid);
    expect((await status(running.containerId)).status.state).toBe(ContainerState.CONTAINER_RUNNING);
    const lines = running.log().length;
    await expect.poll(() => running.log().length, { timeout: 10_000 }).toBeGreaterThan(lines + 10);
    const numbers = running.log().map(Number);
    expect(numbers).toEqual(numbers.map((_, i) => i));
    await expect
      .poll(async () => (await status(ending.containerId)).status, { timeout: 10_000 })
      .toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 3 });
    expect(ending.log()).toEqual(['before', 'after']);
    expect((await cri.runtime.podSandboxStatus({ podSandboxId: shared.podSandboxId })).status?.state).toBe(PodSandboxState.SANDBOX_READY);
    const { exitCode } = await cri.runtime.execSync({ containerId: running.containerId, cmd: ['true'], timeout: 10n });
    expect(exitCode).toBe(0);
  });

  it('may take containerd with it', async () => {
    const { containerId } = await run('i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done');
    const pid = await pidOf(containerId);
    signalProcess(node.containerd.process, 'SIGKILL');
    await killServer();
    await expect
      .poll(() => existsSync(`/proc/${node.containerd.pid}`) && !readFileSync(`/proc/${node.containerd.pid}/stat`, 'utf8').includes(') Z'))
      .toBe(false);
    await node.startContainerd();
    await startServer();
    expect(await pidOf(containerId)).toBe(pid);
    await cri.runtime.stopContainer({ containerId, timeout: 0n });
    expect((await status(containerId)).status).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
  });

  it('leaves no shim behind that containerd had started but not asked for a task when it was killed', async () => {
    const before = findShims(node.containerd.socket).map(({ pid }) => pid);
    const running = run('sleep 1000');
    running.catch(() => {});
    await expect.poll(() => findShims(node.containerd.socket).filter(isNewDaemon), { timeout: 10_000, interval: 1 }).not.toEqual([]);
    signalProcess(node.containerd.process, 'SIGKILL');
    await expect(running).rejects.toThrow();
    await node.startContainerd();
    for (const { id } of (await cri.runtime.listPodSandbox({})).items) await cri.runtime.removePodSandbox({ podSandboxId: id });
    await expect.poll(() => findShims(node.containerd.socket).map(({ pid }) => pid), { timeout: 10_000 }).toEqual([]);

    function isNewDaemon({ pid }: { readonly pid: number }): boolean {
      return !before.includes(pid) && !readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith('\0start\0');
    }
  });

  it('leaves no half-made sandbox behind', async () => {
    await killServer();
    const id = 'ab'.repeat(32);
    const dir = join(node.dir, 'k-root', 'sandboxes', id);
    mkdirSync(dir, { recursive: true });
    const namespaces = await createPinnedNamespaces({ dir: join(node.dir, 'k-state', 'sandboxes', id, 'ns'), kinds: ['net', 'uts', 'ipc'] });
    writeFileSync(
      join(dir, 'sandbox.json'),
      JSON.stringify({
        id,
        config: { metadata: { name: 'half', uid: 'u', namespace: 'd' } },
        runtimeHandler: '',
        createdAt: '1',
        state: 'making',
        namespaces: {},
        ips: [],
        attached: false,
        hasPause: false,
      }),
    );
    await startServer();
    expect(readdirSync(join(node.dir, 'k-root', 'sandboxes'))).not.toContain(id);
    expect(await isPinnedNamespace(namespaces.net!)).toBe(false);
  });

  it('has the OCI runtime’s state of its containers below its own folder', async () => {
    const { containerId } = await run('sleep 1000');
    expect(readdirSync(join(node.dir, 'k-state', 'oci', 'killed'))).toContain(containerId);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { connectCri, ContainerState, type CriConnection, NamespaceMode, PodSandboxState } from '@coxswain/cri';
import { createPinnedNamespaces, idmapMount, isPinnedNamespace, mounts } from '@coxswain/linux';
import { buildBusyboxImage } from '@coxswain/oci';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanCrioState } from './clean-state.js';
import { importCrioImage } from './server.js';
import { TestNode } from './test-node.js';

/** The server is a process that can be killed; with each runtime. */
describe.each([
  ['runc', 204],
  ['crun', 205],
] as const)('a killed server, containers by %s', (handler, subnet) => {
  let node: TestNode;
  let server: ChildProcess;
  let cri: CriConnection;
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
  const run = async (command: string, pid = NamespaceMode.CONTAINER, users = {}, more = {}) => {
    const n = ++serial;
    const securityContext = { namespaceOptions: { pid, ...users } };
    const config = {
      metadata: { name: `p${n}`, uid: `u${n}`, namespace: 'd', attempt: 0 },
      logDirectory: join(node.dir, `logs${n}`),
      linux: { securityContext },
    };
    const { podSandboxId } = await cri.runtime.runPodSandbox({ config, runtimeHandler: handler });
    const { containerId } = await cri.runtime.createContainer({
      podSandboxId,
      sandboxConfig: config,
      config: { metadata: { name: 'c' }, image: { image: 'bb:1' }, command: ['sh', '-c', command], logPath: 'c.log', linux: { securityContext }, ...more },
    });
    await cri.runtime.startContainer({ containerId });
    const log = () =>
      readFileSync(join(node.dir, `logs${n}/c.log`), 'utf8')
        .trim()
        .split('\n')
        .map((l) => l.split(' ').slice(3).join(' '));
    return { podSandboxId, containerId, log };
  };
  const status = async (containerId: string) => {
    const answer = await cri.runtime.containerStatus({ containerId, verbose: true });
    if (!answer.status) throw new Error('no status');
    return { ...answer.status, pid: (JSON.parse(answer.info['info'] as string) as { pid: number }).pid };
  };

  beforeAll(async () => {
    node = await TestNode.prepare(subnet);
    await startServer();
    // Beside the running server, as `cox image load` would.
    const image = await buildBusyboxImage({ tags: ['docker.io/library/bb:1'] });
    expect(await importCrioImage(node.options.root, Readable.from([await image.layoutTar()]))).toEqual(['docker.io/library/bb:1']);
  });
  afterAll(async () => {
    for (const { id } of (await cri.runtime.listPodSandbox({})).items) await cri.runtime.removePodSandbox({ podSandboxId: id });
    await killServer();
    expect((await mounts()).filter((m) => m.mountPoint.startsWith(node.dir))).toEqual([]);
    await cleanCrioState(node.options.state);
    await node.destroy();
  });

  it('is succeeded by one that finds its containers and loses nothing, neither output nor exit codes of those that ended meanwhile', async () => {
    const running = await run('i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done');
    const ending = await run('echo before; while [ ! -e /stop ]; do sleep 0.02; done; echo after; exit 3');
    const shared = await run('sleep 1000', NamespaceMode.POD);
    await expect.poll(() => ending.log(), { timeout: 10_000 }).toEqual(['before']);
    const [pid, endingPid] = [(await status(running.containerId)).pid, (await status(ending.containerId)).pid];
    await killServer();
    writeFileSync(`/proc/${endingPid}/root/stop`, '');
    await expect.poll(() => existsSync(join(node.options.state, 'exits', ending.containerId)), { timeout: 10_000 }).toBe(true);
    const before = running.log().length;
    await expect.poll(() => running.log().length, { timeout: 10_000 }).toBeGreaterThan(before + 10);
    await startServer();
    expect(await status(running.containerId)).toMatchObject({ pid, state: ContainerState.CONTAINER_RUNNING });
    expect(await status(ending.containerId)).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 3, reason: 'Error' });
    expect(ending.log()).toEqual(['before', 'after']);
    const numbers = running.log().map(Number);
    expect(numbers).toEqual(numbers.map((_, i) => i));
    expect((await cri.runtime.podSandboxStatus({ podSandboxId: shared.podSandboxId })).status?.state).toBe(PodSandboxState.SANDBOX_READY);
    const { exitCode, stdout } = await cri.runtime.execSync({ containerId: running.containerId, cmd: ['cat', '/proc/1/comm'], timeout: 10n });
    expect([exitCode, Buffer.from(stdout).toString().trim()]).toEqual([0, 'sh']);
    // And it is still stopped as any other.
    await cri.runtime.stopContainer({ containerId: running.containerId, timeout: 0n });
    expect(await status(running.containerId)).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
  });

  it('a failing command says so, and one without its monitor ends with an unknown code', async () => {
    const failing = await run('exit 42');
    await expect.poll(async () => await status(failing.containerId), { timeout: 10_000 }).toMatchObject({ exitCode: 42, reason: 'Error' });
    const orphan = await run('sleep 1000');
    const conmon = Number(readFileSync(join(node.options.state, 'bundles', orphan.containerId, 'conmon.pid'), 'utf8'));
    process.kill(conmon, 'SIGKILL');
    await cri.runtime.stopContainer({ containerId: orphan.containerId, timeout: 0n });
    expect(await status(orphan.containerId)).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 255, reason: 'Unknown' });
  });

  it('a pod with users of its own goes on, and mounts that were being made for another are taken back, not emptied', async () => {
    const map = [{ containerId: 0, hostId: 1_000_000, length: 65_536 }];
    const users = { usernsOptions: { mode: NamespaceMode.POD, uids: map, gids: map } };
    const volume = join(node.dir, `volume-${handler}`);
    mkdirSync(volume);
    writeFileSync(join(volume, 'file'), 'kept');
    const mount = { mounts: [{ hostPath: volume, containerPath: '/v', uidMappings: map, gidMappings: map }] };
    const { containerId, podSandboxId } = await run('sleep 1000', NamespaceMode.POD, users, mount);
    const { state } = node.options;
    const userns = join(state, 'sandboxes', podSandboxId, 'ns', 'user');
    // As a crash in the middle of a start leaves them.
    for (const [half, source] of [
      [join(state, 'mapped', 'ab'.repeat(32), '0'), volume],
      [join(state, 'l', '77', '0'), volume],
    ] as const) {
      mkdirSync(half, { recursive: true });
      await idmapMount({ source, target: half, userns });
    }
    await killServer();
    await startServer();
    expect((await mounts()).filter((m) => [join(state, 'mapped'), join(state, 'l')].some((dir) => m.mountPoint.startsWith(`${dir}/`)))).toEqual([]);
    expect([readdirSync(join(state, 'mapped')), readdirSync(join(state, 'l'))]).toEqual([[], []]);
    const { stdout } = await cri.runtime.execSync({ containerId, cmd: ['sh', '-c', 'cat /v/file; stat -c %u /v/file; cat /proc/self/uid_map'], timeout: 10n });
    expect(Buffer.from(stdout).toString().trim().split(/\s+/)).toEqual(['kept0', '0', '1000000', '65536']);
    await cri.runtime.removePodSandbox({ podSandboxId });
    expect(await isPinnedNamespace(userns)).toBe(false);
    expect(readFileSync(join(volume, 'file'), 'utf8')).toBe('kept');
  });

  it('leaves no half-made sandbox and no half-made container behind', async () => {
    const { podSandboxId } = await run('sleep 1000');
    await killServer();
    const { root, state } = node.options;
    const half = 'ab'.repeat(32);
    mkdirSync(join(root, 'sandboxes', half), { recursive: true });
    const namespaces = await createPinnedNamespaces({ dir: join(state, 'sandboxes', half, 'ns'), kinds: ['net', 'uts', 'ipc'] });
    writeFileSync(
      join(root, 'sandboxes', half, 'sandbox.json'),
      JSON.stringify({
        id: half,
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
    mkdirSync(join(root, 'containers', 'cd'.repeat(32), 'upper'), { recursive: true });
    await startServer();
    expect(readdirSync(join(root, 'sandboxes'))).not.toContain(half);
    expect(readdirSync(join(root, 'containers'))).not.toContain('cd'.repeat(32));
    expect(await isPinnedNamespace(namespaces.net!)).toBe(false);
    expect((await cri.runtime.podSandboxStatus({ podSandboxId })).status?.state).toBe(PodSandboxState.SANDBOX_READY);
  });
});

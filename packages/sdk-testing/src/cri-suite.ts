import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import {
  connectCri,
  type ContainerEventType,
  ContainerState,
  type CriConnection,
  dialCommand,
  dialPortForward,
  MountPropagation,
  NamespaceMode,
  PodSandboxState,
  SecurityProfile_ProfileType as ProfileType,
  SupplementalGroupsPolicy,
} from '@coxswain/cri';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

type ContainerInit = NonNullable<Parameters<CriConnection['runtime']['createContainer']>[0]['config']>;
type SandboxInit = NonNullable<Parameters<CriConnection['runtime']['runPodSandbox']>[0]['config']>;

/** Images the runtime under test can pull. All have a shell and busybox's tools unless said otherwise. */
export interface CriSuiteImages {
  /** The image containers run; its config sets no user. */
  readonly base: string;
  /** One other image under three tags. */
  readonly threeTags: readonly [string, string, string];
  /** Three different images. */
  readonly threeImages: readonly [string, string, string];
  /** The base image in another repository or registry. */
  readonly baseElsewhere: string;
  /** An image whose config has `User: 1002`, and one with `User: nobody`. */
  readonly userId: string;
  readonly userName: string;
  /** /etc/group has user `member` (uid 1000, gid 1000 in /etc/passwd) in group 50000. */
  readonly groups: string;
}

export interface CriUnderTest {
  readonly endpoint: string;
  readonly images: CriSuiteImages;
  /** The runtime has a network for pods (CNI is configured). Default true. */
  readonly network?: boolean;
  stop(): Promise<void>;
}

/**
 * What a runtime may leave out and say so: `kernel`: namespaces, mounts, limits, users and security settings act on what runs;
 * `programs`: commands are programs, with environment and standard input.
 */
export type CriSuiteArea = 'kernel' | 'programs';

export interface CriSuiteOptions {
  readonly name?: string;
  /** Areas this runtime does not claim. Their cases are reported as skipped, each with the area in its name. */
  readonly without?: readonly CriSuiteArea[];
  start(): Promise<CriUnderTest>;
}

/** Conformance of a CRI v1 runtime, over its socket only: the behaviours upstream's validation suite checks, as far as any Linux machine can. */
export function criSuite(options: CriSuiteOptions): void {
  const needs = (area: CriSuiteArea) => (name: string, run: () => Promise<void>) => {
    const claimed = !options.without?.includes(area);
    const register = claimed ? it : it.skip;
    register(claimed ? name : `${name} [not claimed: ${area}]`, run);
  };
  describe(`CRI conformance: ${options.name ?? 'runtime'}`, () => {
    let under: CriUnderTest;
    let cri: CriConnection;
    let dir: string;
    let serial = 0;
    const pods: string[] = [];

    beforeAll(async () => {
      under = await options.start();
      cri = connectCri({ endpoint: under.endpoint });
      dir = await mkdtemp(join(tmpdir(), 'cri-suite-'));
      await cri.image.pullImage({ image: { image: under.images.base } });
    });
    afterEach(async () => {
      await Promise.all(pods.splice(0).map((podSandboxId) => cri.runtime.removePodSandbox({ podSandboxId })));
    });
    afterAll(async () => {
      cri?.close();
      await under?.stop();
      await rm(dir, { recursive: true, force: true });
    });

    const podConfig = (over: Partial<SandboxInit> = {}): SandboxInit => {
      const n = ++serial;
      return {
        metadata: { name: `pod-${n}`, uid: `uid-${process.pid}-${n}`, namespace: 'suite', attempt: 2 },
        logDirectory: join(dir, `logs-${n}`),
        labels: { app: `l${n}` },
        annotations: { note: 'kept' },
        linux: {},
        ...over,
      } as SandboxInit;
    };
    const runPod = async (config = podConfig()) => {
      const { podSandboxId } = await cri.runtime.runPodSandbox({ config });
      pods.push(podSandboxId);
      return { podSandboxId, config };
    };
    type Pod = Awaited<ReturnType<typeof runPod>>;
    const create = async (pod: Pod, over: Partial<ContainerInit> = {}) => {
      const n = ++serial;
      const config = {
        metadata: { name: `c-${n}`, attempt: 1 },
        image: { image: under.images.base },
        command: ['sh', '-c', 'sleep 1000'],
        linux: {},
        logPath: `c-${n}.log`,
        ...over,
      } as ContainerInit;
      const { containerId } = await cri.runtime.createContainer({ podSandboxId: pod.podSandboxId, config, sandboxConfig: pod.config });
      return { containerId, logPath: join((pod.config as { logDirectory: string }).logDirectory, `c-${n}.log`) };
    };
    const start = async (pod: Pod, over: Partial<ContainerInit> = {}) => {
      const made = await create(pod, over);
      await cri.runtime.startContainer({ containerId: made.containerId });
      return made;
    };
    const exec = async (containerId: string, script: string) => {
      const { stdout, stderr, exitCode } = await cri.runtime.execSync({ containerId, cmd: ['sh', '-c', script], timeout: 20n });
      return { out: Buffer.from(stdout).toString().trim(), err: Buffer.from(stderr).toString().trim(), exitCode };
    };
    const status = async (containerId: string) => {
      const answer = await cri.runtime.containerStatus({ containerId });
      if (!answer.status) throw new Error('no status');
      return answer.status;
    };
    const exited = (containerId: string) =>
      expect.poll(async () => (await status(containerId)).state, { timeout: 20_000, interval: 20 }).toBe(ContainerState.CONTAINER_EXITED);
    const secure = (securityContext: object) => ({ linux: { securityContext } }) as Partial<ContainerInit>;
    const logLines = async (path: string) =>
      (await readFile(path, 'utf8'))
        .split('\n')
        .filter(Boolean)
        .map((line) => /^(\S+) (stdout|stderr) ([PF]) (.*)$/.exec(line)!.slice(2) as string[]);

    describe('runtime info', () => {
      it('returns version info', async () => {
        const version = await cri.runtime.version({ version: 'v1' });
        expect(version.runtimeApiVersion).toBe('v1');
        expect(version.runtimeName).not.toBe('');
        expect(version.runtimeVersion).not.toBe('');
      });
      it('returns runtime conditions', async () => {
        const { status: s } = await cri.runtime.status({});
        for (const type of ['RuntimeReady', ...(under.network === false ? [] : ['NetworkReady'])])
          expect(s?.conditions.find((c) => c.type === type)).toMatchObject({ status: true });
      });
    });

    describe('idempotence', () => {
      const missing = 'f'.repeat(64);
      it('does not fail for what is not there, or already stopped', async () => {
        await cri.runtime.removeContainer({ containerId: missing });
        await cri.runtime.stopContainer({ containerId: missing });
        await cri.runtime.stopPodSandbox({ podSandboxId: missing });
        await cri.runtime.removePodSandbox({ podSandboxId: missing });
        await cri.image.removeImage({ image: { image: `${under.images.base}-missing` } });
        const pod = await runPod();
        await cri.runtime.stopPodSandbox({ podSandboxId: pod.podSandboxId });
        await expect(cri.runtime.stopPodSandbox({ podSandboxId: pod.podSandboxId })).resolves.toBeDefined();
      });
      it('says not found where a thing is asked about', async () => {
        await expect(cri.runtime.containerStatus({ containerId: missing })).rejects.toMatchObject({ code: 'notFound' });
        await expect(cri.runtime.podSandboxStatus({ podSandboxId: missing })).rejects.toMatchObject({ code: 'notFound' });
        expect((await cri.image.imageStatus({ image: { image: `${under.images.base}-missing` } })).image).toBeUndefined();
      });
    });

    describe('pod sandboxes', () => {
      it('run, stop and are removed, and keep their attributes', async () => {
        const pod = await runPod();
        const get = async () => (await cri.runtime.podSandboxStatus({ podSandboxId: pod.podSandboxId })).status!;
        const first = await get();
        expect(first).toMatchObject({
          state: PodSandboxState.SANDBOX_READY,
          labels: (pod.config as { labels: object }).labels,
          annotations: { note: 'kept' },
          metadata: { attempt: 2, namespace: 'suite' },
        });
        expect(first.network?.ip).toMatch(under.network === false ? /^/ : /^[\d.]+$|:/);
        const listed = await cri.runtime.listPodSandbox({ filter: { labelSelector: (pod.config as { labels: Record<string, string> }).labels } });
        expect(listed.items.map((i) => i.id)).toEqual([pod.podSandboxId]);
        await cri.runtime.stopPodSandbox({ podSandboxId: pod.podSandboxId });
        expect((await get()).state).toBe(PodSandboxState.SANDBOX_NOTREADY);
        await cri.runtime.removePodSandbox({ podSandboxId: pod.podSandboxId });
        await expect(get()).rejects.toMatchObject({ code: 'notFound' });
      });
      needs('kernel')('set sysctls, safe and unsafe', async () => {
        const pod = await runPod(
          podConfig({
            linux: { sysctls: { 'kernel.shm_rmid_forced': '1', 'net.ipv4.ip_local_port_range': '1024 65000', 'kernel.msgmax': '8193' } },
          } as Partial<SandboxInit>),
        );
        const { containerId } = await start(pod);
        expect(
          (await exec(containerId, 'cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_local_port_range /proc/sys/kernel/msgmax')).out.split(/\s+/),
        ).toEqual(['1', '1024', '65000', '8193']);
      });
      it('refuse a second sandbox of the same name and attempt', async () => {
        const { config } = await runPod();
        await expect(cri.runtime.runPodSandbox({ config })).rejects.toThrow(/reserved/);
      });
    });

    describe('containers', () => {
      it('are created, started, stopped and removed', async () => {
        const pod = await runPod();
        const { containerId } = await create(pod);
        expect((await status(containerId)).state).toBe(ContainerState.CONTAINER_CREATED);
        await cri.runtime.startContainer({ containerId });
        expect(await status(containerId)).toMatchObject({ state: ContainerState.CONTAINER_RUNNING, exitCode: 0 });
        await cri.runtime.stopContainer({ containerId, timeout: 0n });
        const stopped = await status(containerId);
        expect(stopped).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
        expect(stopped.startedAt > 0n && stopped.finishedAt >= stopped.startedAt).toBe(true);
        await cri.runtime.removeContainer({ containerId });
        expect((await cri.runtime.listContainers({ filter: { id: containerId } })).containers).toEqual([]);
      });
      it('are removed while running', async () => {
        const { containerId } = await start(await runPod());
        await cri.runtime.removeContainer({ containerId });
        await expect(status(containerId)).rejects.toMatchObject({ code: 'notFound' });
      });
      it('keep their attributes', async () => {
        const pod = await runPod();
        const { containerId } = await create(pod, { labels: { a: 'b' }, annotations: { c: 'd' } } as Partial<ContainerInit>);
        const { containers } = await cri.runtime.listContainers({ filter: { labelSelector: { a: 'b' }, podSandboxId: pod.podSandboxId } });
        expect(containers).toHaveLength(1);
        expect(containers[0]).toMatchObject({ id: containerId, annotations: { c: 'd' }, metadata: { attempt: 1 }, podSandboxId: pod.podSandboxId });
        expect(await status(containerId)).toMatchObject({ labels: { a: 'b' }, annotations: { c: 'd' }, metadata: { attempt: 1 } });
      });
      it('report exit codes, and SIGTERM before SIGKILL', async () => {
        const pod = await runPod();
        const failing = await start(pod, { command: ['sh', '-c', 'exit 42'] });
        await exited(failing.containerId);
        expect(await status(failing.containerId)).toMatchObject({ exitCode: 42, reason: 'Error' });
        const graceful = await start(pod, { command: ['sh', '-c', 'trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done'] });
        await expect.poll(async () => (await logLines(graceful.logPath)).length, { timeout: 10_000 }).toBe(1);
        await cri.runtime.stopContainer({ containerId: graceful.containerId, timeout: 10n });
        expect((await status(graceful.containerId)).exitCode).toBe(7);
      });
      it('that cannot be started say why', async () => {
        const { containerId } = await create(await runPod(), { command: ['/no/such/command'] });
        await expect(cri.runtime.startContainer({ containerId })).rejects.toThrow(/no such file or directory/i);
        expect((await status(containerId)).state).toBe(ContainerState.CONTAINER_EXITED);
        await expect(create(await runPod(), { image: { image: 'localhost/not/here:1' } } as Partial<ContainerInit>)).rejects.toThrow(/not found/);
      });
      needs('programs')('use environment, working directory and arguments', async () => {
        const pod = await runPod();
        const { containerId, logPath } = await start(pod, {
          command: ['sh', '-c', 'echo "$GREETING $0 $PWD"'],
          args: ['you'],
          workingDir: '/tmp',
          envs: [{ key: 'GREETING', value: Buffer.from('hello') }],
        } as Partial<ContainerInit>);
        await exited(containerId);
        expect(await logLines(logPath)).toEqual([['stdout', 'F', 'hello you /tmp']]);
      });
      it('of one pod run side by side and can be entered', async () => {
        const pod = await runPod();
        const [a, b] = await Promise.all([start(pod), start(pod)]);
        expect([(await exec(a.containerId, 'echo a')).out, (await exec(b.containerId, 'echo b')).out]).toEqual(['a', 'b']);
      });
      it('execSync returns output and code, and ends at its timeout', async () => {
        const { containerId } = await start(await runPod());
        expect(await exec(containerId, 'echo out; echo err >&2; exit 5')).toEqual({ out: 'out', err: 'err', exitCode: 5 });
        await expect(cri.runtime.execSync({ containerId, cmd: ['sleep', '100'], timeout: 1n })).rejects.toMatchObject({ code: 'deadlineExceeded' });
        await expect(cri.runtime.execSync({ containerId, cmd: ['/no/such'], timeout: 5n })).rejects.toThrow(/no such file or directory|not found/i);
      });
      it('list statistics, filtered and not', async () => {
        const pod = await runPod();
        const [a] = [await start(pod, { labels: { stats: 'x' } } as Partial<ContainerInit>), await create(pod), await create(pod)];
        const byLabel = await cri.runtime.listContainerStats({ filter: { labelSelector: { stats: 'x' } } });
        expect(byLabel.stats.map((s) => s.attributes?.id)).toEqual([a.containerId]);
        expect(byLabel.stats[0]?.cpu?.usageCoreNanoSeconds?.value).toBeGreaterThan(0n);
        expect(byLabel.stats[0]?.memory?.workingSetBytes?.value).toBeGreaterThan(0n);
        expect((await cri.runtime.listContainerStats({})).stats.length).toBeGreaterThanOrEqual(3);
        expect((await cri.runtime.containerStats({ containerId: a.containerId })).stats?.writableLayer?.usedBytes?.value).toBeGreaterThanOrEqual(0n);
      });
      needs('kernel')('killed for memory say OOMKilled', async () => {
        const { containerId } = await start(await runPod(), {
          command: ['sh', '-c', 'dd if=/dev/zero of=/dev/null bs=64M'],
          linux: { resources: { memoryLimitInBytes: 15n * 1024n * 1024n } },
        } as Partial<ContainerInit>);
        await exited(containerId);
        expect(await status(containerId)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
      });
      it('change their resources while running', async () => {
        const { containerId } = await start(await runPod(), {
          linux: { resources: { cpuShares: 256n, memoryLimitInBytes: 64n * 1024n * 1024n } },
        } as Partial<ContainerInit>);
        await cri.runtime.updateContainerResources({ containerId, linux: { cpuShares: 512n } });
        expect((await status(containerId)).resources?.linux).toMatchObject({ cpuShares: 512n, memoryLimitInBytes: 64n * 1024n * 1024n });
      });
      it('are told about as events', async () => {
        const stop = new AbortController();
        const seen: [string, ContainerEventType][] = [];
        const reading = (async () => {
          for await (const e of cri.runtime.getContainerEvents({}, { signal: stop.signal })) seen.push([e.containerId, e.containerEventType]);
        })().catch(() => {});
        const pod = await runPod();
        const { containerId } = await start(pod, { command: ['true'] });
        await exited(containerId);
        await cri.runtime.removeContainer({ containerId });
        await expect.poll(() => seen.filter(([id]) => id === containerId).map(([, type]) => type)).toEqual([0, 1, 2, 3]);
        stop.abort(new Error('done'));
        await reading;
      });
    });

    describe('logs', () => {
      it('are written in CRI format, streams apart', async () => {
        const { containerId, logPath } = await start(await runPod(), { command: ['sh', '-c', 'echo one; echo two >&2; printf three'] });
        await exited(containerId);
        const lines = await logLines(logPath);
        expect(lines).toHaveLength(3);
        expect(lines).toEqual(
          expect.arrayContaining([
            ['stdout', 'F', 'one'],
            ['stderr', 'F', 'two'],
            // Without its newline at the end: a monitor that writes as it reads (conmon) has called it partial.
            ['stdout', expect.stringMatching(/^[PF]$/), 'three'],
          ]),
        );
      });
      it('go on in a new file when reopened', async () => {
        const { containerId, logPath } = await start(await runPod(), { command: ['sh', '-c', 'while :; do echo tick; sleep 0.05; done'] });
        await expect.poll(async () => (await readFile(logPath, 'utf8').catch(() => '')).length, { timeout: 10_000 }).toBeGreaterThan(0);
        await rename(logPath, `${logPath}.1`);
        await cri.runtime.reopenContainerLog({ containerId });
        await expect.poll(async () => (await readFile(logPath, 'utf8').catch(() => '')).length, { timeout: 10_000 }).toBeGreaterThan(0);
      });
    });

    describe('volumes', () => {
      needs('kernel')('are mounted, also through a link, and read-only where asked', async () => {
        const host = join(dir, `vol-${++serial}`);
        await mkdir(host);
        await writeFile(join(host, 'file'), 'content');
        await symlink(host, `${host}-link`);
        const { containerId } = await start(await runPod(), {
          mounts: [
            { hostPath: host, containerPath: '/a' },
            { hostPath: `${host}-link`, containerPath: '/b', readonly: true },
          ],
        } as Partial<ContainerInit>);
        expect((await exec(containerId, 'cat /a/file /b/file; echo new > /a/new; cat /b/new; touch /b/x 2>/dev/null || echo refused')).out).toBe(
          'contentcontentnew\nrefused',
        );
      });
      needs('kernel')('refuse recursive read-only with propagation, and take it without', async () => {
        const mount = (propagation: MountPropagation, over = {}) =>
          ({ mounts: [{ hostPath: dir, containerPath: '/m', readonly: true, recursiveReadOnly: true, propagation, ...over }] }) as Partial<ContainerInit>;
        const pod = await runPod();
        await expect(create(pod, mount(MountPropagation.PROPAGATION_BIDIRECTIONAL))).rejects.toThrow(/recursive/i);
        await expect(create(pod, mount(MountPropagation.PROPAGATION_HOST_TO_CONTAINER))).rejects.toThrow(/recursive/i);
        await expect(create(pod, mount(MountPropagation.PROPAGATION_PRIVATE, { readonly: false }))).rejects.toThrow(/readonly|read-only/i);
        const { runtimeHandlers } = await cri.runtime.status({});
        const supported = runtimeHandlers.some((h) => h.features?.recursiveReadOnlyMounts);
        const { containerId } = await start(pod, mount(MountPropagation.PROPAGATION_PRIVATE, { recursiveReadOnly: supported }));
        expect((await exec(containerId, 'touch /m/x')).exitCode).not.toBe(0);
      });
      needs('kernel')('propagate mounts to and from the container where asked', async () => {
        const host = join(dir, `shared-${++serial}`);
        await mkdir(host);
        const mount = (...args: string[]) => execFileSync('mount', args);
        mount('--bind', host, host);
        try {
          mount('--make-rshared', host);
          const pod = await runPod(podConfig({ linux: { securityContext: { privileged: true } } } as Partial<SandboxInit>));
          const { containerId } = await start(pod, {
            ...secure({ privileged: true }),
            mounts: [{ hostPath: host, containerPath: '/m', propagation: MountPropagation.PROPAGATION_BIDIRECTIONAL }],
          } as Partial<ContainerInit>);
          const { containerId: slave } = await start(pod, {
            mounts: [{ hostPath: host, containerPath: '/m', propagation: MountPropagation.PROPAGATION_HOST_TO_CONTAINER }],
          } as Partial<ContainerInit>);
          await Promise.all(['from-host', 'from-container'].map((name) => mkdir(join(host, name))));
          mount('-t', 'tmpfs', 'tmpfs', join(host, 'from-host'));
          await writeFile(join(host, 'from-host', 'a'), 'A');
          for (const id of [containerId, slave]) expect((await exec(id, 'cat /m/from-host/a')).out).toBe('A');
          expect((await exec(containerId, 'mount -t tmpfs tmpfs /m/from-container && echo B > /m/from-container/b')).exitCode).toBe(0);
          expect((await readFile(join(host, 'from-container', 'b'), 'utf8')).trim()).toBe('B');
        } finally {
          execFileSync('umount', ['-R', '-l', host]);
        }
      });
      needs('kernel')('refuse propagation from what is not shared', async () => {
        const host = join(dir, `private-${++serial}`);
        await mkdir(host);
        execFileSync('mount', ['--bind', host, host]);
        try {
          execFileSync('mount', ['--make-private', host]);
          const mounts = [{ hostPath: host, containerPath: '/m', propagation: MountPropagation.PROPAGATION_BIDIRECTIONAL }];
          await expect(create(await runPod(), { mounts } as Partial<ContainerInit>)).rejects.toThrow(/not a shared mount/);
        } finally {
          execFileSync('umount', ['-l', host]);
        }
      });
      needs('kernel')('take devices', async () => {
        const { containerId } = await start(await runPod(), {
          devices: [{ hostPath: '/dev/null', containerPath: '/dev/mynull', permissions: 'rwm' }],
        } as Partial<ContainerInit>);
        expect((await exec(containerId, 'echo x > /dev/mynull && test -c /dev/mynull && echo ok')).out).toBe('ok');
      });
    });

    describe('networking', () => {
      needs('kernel')('sets DNS configuration and host name', async () => {
        const pod = await runPod(
          podConfig({ hostname: 'my-host', dnsConfig: { servers: ['10.10.10.10'], searches: ['google.com'], options: ['ndots:8'] } } as Partial<SandboxInit>),
        );
        const { containerId } = await start(pod);
        expect((await exec(containerId, 'cat /etc/resolv.conf; hostname')).out.split('\n')).toEqual([
          'search google.com',
          'nameserver 10.10.10.10',
          'options ndots:8',
          'my-host',
        ]);
      });
      needs('kernel')('shares localhost between the containers of a pod', async () => {
        const pod = await runPod(podConfig({ portMappings: [{ containerPort: 8080 }] } as Partial<SandboxInit>));
        await start(pod, { command: ['sh', '-c', 'mkdir /www; echo hi > /www/index.html; httpd -f -p 8080 -h /www'] });
        const client = await start(pod);
        await expect.poll(async () => (await exec(client.containerId, 'wget -qO- http://127.0.0.1:8080/')).out, { timeout: 10_000 }).toBe('hi');
      });
    });

    describe('images', () => {
      const { image } = { image: () => cri.image };
      const find = async (ref: string) => (await image().imageStatus({ image: { image: ref } })).image;
      const pull = async (ref: string) => (await image().pullImage({ image: { image: ref } })).imageRef;
      const remove = (ref: string) => image().removeImage({ image: { image: ref } });

      it('are pulled by tag, found by every kind of reference, and removed with all tags', async () => {
        const refs = under.images.threeTags;
        for (const ref of refs) await pull(ref);
        const found = await find(refs[0]);
        expect([...(found?.repoTags ?? [])].sort()).toEqual([...refs].sort());
        expect(found?.size).toBeGreaterThan(0n);
        for (const ref of [found?.id ?? '', found?.repoDigests[0] ?? '', refs[1]]) expect((await find(ref))?.id).toBe(found?.id);
        await remove(refs[1]);
        for (const ref of refs) expect(await find(ref)).toBeUndefined();
      });
      it('are pulled and removed by digest', async () => {
        await pull(under.images.threeTags[0]);
        const digest = (await find(under.images.threeTags[0]))?.repoDigests[0] ?? '';
        await remove(digest);
        await pull(digest);
        expect(await find(digest)).toMatchObject({ repoDigests: [digest], repoTags: [] });
        await remove(digest);
        expect(await find(digest)).toBeUndefined();
      });
      it('are listed each once, at once after the pull and no more after removal, also when removed twice at a time', async () => {
        const refs = under.images.threeImages;
        const ids = await Promise.all(refs.map(pull));
        expect(new Set(ids).size).toBe(3);
        const listed = (await image().listImages({})).images.filter((i) => i.repoTags.some((t) => refs.includes(t)));
        expect(listed.map((i) => i.id).sort()).toEqual([...ids].sort());
        await Promise.all([...refs, ...refs].map(remove));
        for (const ref of refs) expect(await find(ref)).toBeUndefined();
        expect((await image().listImages({})).images.filter((i) => ids.includes(i.id))).toEqual([]);
      });
      it('have the same id from another registry', async () => {
        expect(await pull(under.images.baseElsewhere)).toBe(await pull(under.images.base));
      });
      it('say their user', async () => {
        for (const ref of [under.images.userId, under.images.userName]) await pull(ref);
        expect(await find(under.images.userId)).toMatchObject({ uid: { value: 1002n } });
        expect(await find(under.images.userName)).toMatchObject({ username: 'nobody' });
      });
      it('that do not exist fail to pull', async () => {
        await expect(pull(`${under.images.base}-missing`)).rejects.toThrow(/not found|denied/);
      });
      it('fill a file system', async () => {
        const { imageFilesystems } = await image().imageFsInfo({});
        expect(imageFilesystems[0]?.fsId?.mountpoint).toMatch(/^\//);
        expect(imageFilesystems[0]?.usedBytes?.value).toBeGreaterThan(0n);
      });
    });

    describe('security', () => {
      const withNamespaces = (options: object) => ({ linux: { securityContext: { namespaceOptions: options } } });
      const inNamespaces = async (options: object, script: string) => {
        const pod = await runPod(podConfig(withNamespaces(options) as Partial<SandboxInit>));
        const { containerId } = await start(pod, withNamespaces(options) as Partial<ContainerInit>);
        return { pod, containerId, ...(await exec(containerId, script)) };
      };
      const effective = async (containerId: string) => BigInt(`0x${(await exec(containerId, "grep CapEff /proc/self/status | awk '{print $2}'")).out}`);
      const has = (mask: bigint, number: number) => ((mask >> BigInt(number)) & 1n) === 1n;
      const CAP_NET_ADMIN = 12;
      const CAP_CHOWN = 0;

      needs('kernel')('pid namespaces: container, pod, host, target', async () => {
        expect((await inNamespaces({ pid: NamespaceMode.CONTAINER }, 'tr "\\0" " " < /proc/1/cmdline')).out).toContain('sleep 1000');
        const shared = await inNamespaces({ pid: NamespaceMode.POD }, 'tr "\\0" " " < /proc/1/cmdline');
        expect(shared.out).not.toContain('sleep');
        const other = await start(shared.pod, withNamespaces({ pid: NamespaceMode.POD }) as Partial<ContainerInit>);
        expect((await exec(other.containerId, 'ps | grep -c "sleep 1000"')).out).not.toBe('0');
        expect((await inNamespaces({ pid: NamespaceMode.NODE }, 'readlink /proc/self/ns/pid')).out).toBe(readlinkSync('/proc/self/ns/pid'));
        const host = await inNamespaces({ pid: NamespaceMode.CONTAINER }, 'true');
        const target = await start(host.pod, withNamespaces({ pid: NamespaceMode.TARGET, targetId: host.containerId }) as Partial<ContainerInit>);
        expect((await exec(target.containerId, 'readlink /proc/self/ns/pid')).out).toBe((await exec(host.containerId, 'readlink /proc/self/ns/pid')).out);
      });
      needs('kernel')('reaps orphans in a shared pid namespace', async () => {
        const pod = await inNamespaces({ pid: NamespaceMode.POD }, '(sleep 0.1 &) ; sleep 0.4; ps -o stat,comm | grep -c "^Z" || true');
        expect(pod.out).toBe('0');
      });
      needs('kernel')('host network and private ipc', async () => {
        const host = await inNamespaces({ network: NamespaceMode.NODE }, 'readlink /proc/self/ns/net; hostname');
        expect(host.out).toBe(`${readlinkSync('/proc/self/ns/net')}\n${hostname()}`);
        expect((await inNamespaces({ ipc: NamespaceMode.POD }, 'readlink /proc/self/ns/ipc')).out).not.toBe(readlinkSync('/proc/self/ns/ipc'));
      });
      needs('kernel')('user namespaces are refused where their mapping or mode is wrong', async () => {
        const map = [{ hostId: 100000, containerId: 0, length: 65536 }];
        const wrong = [
          { mode: NamespaceMode.POD, uids: [...map, ...map], gids: map },
          { mode: NamespaceMode.POD, uids: [{ ...map[0], containerId: 1 }], gids: map },
          { mode: NamespaceMode.CONTAINER, uids: map, gids: map },
          { mode: NamespaceMode.TARGET, uids: map, gids: map },
        ];
        for (const usernsOptions of wrong)
          await expect(runPod(podConfig(withNamespaces({ usernsOptions }) as Partial<SandboxInit>))).rejects.toThrow(/user ?n|mapping|mode/i);
        await inNamespaces({ usernsOptions: { mode: NamespaceMode.NODE } }, 'true');
      });
      needs('kernel')('users and groups', async () => {
        const pod = await runPod();
        const id = async (context: object, image = under.images.base) => {
          const { containerId } = await start(pod, { ...secure(context), image: { image } } as Partial<ContainerInit>);
          return (await exec(containerId, 'echo $(id -u):$(id -g):$(id -G)')).out;
        };
        expect(await id({ runAsUser: { value: 1001n } })).toBe('1001:0:0');
        expect(await id({ runAsUser: { value: 1001n }, runAsGroup: { value: 1002n } })).toBe('1001:1002:1002');
        expect(await id({ runAsUsername: 'nobody' })).toMatch(/^65534:65534/);
        expect(await id({ supplementalGroups: [1234n, 5678n] })).toBe('0:0:0 1234 5678');
        await expect(create(pod, secure({ runAsGroup: { value: 5n } }))).rejects.toThrow(/without user/);
        await cri.image.pullImage({ image: { image: under.images.groups } });
        const member = { runAsUser: { value: 1000n }, supplementalGroups: [60000n] };
        expect(await id({ ...member, supplementalGroupsPolicy: SupplementalGroupsPolicy.Merge }, under.images.groups)).toBe('1000:1000:1000 50000 60000');
        expect(await id({ ...member, supplementalGroupsPolicy: SupplementalGroupsPolicy.Strict }, under.images.groups)).toBe('1000:1000:1000 60000');
      });
      needs('kernel')('capabilities are added and dropped', async () => {
        const pod = await runPod();
        const mask = async (capabilities: object) => effective((await start(pod, secure({ capabilities }))).containerId);
        expect(has(await mask({}), CAP_NET_ADMIN)).toBe(false);
        expect(has(await mask({ addCapabilities: ['NET_ADMIN'] }), CAP_NET_ADMIN)).toBe(true);
        expect(has(await mask({ addCapabilities: ['ALL'] }), CAP_NET_ADMIN)).toBe(true);
        expect(has(await mask({ dropCapabilities: ['CHOWN'] }), CAP_CHOWN)).toBe(false);
        expect(await mask({ dropCapabilities: ['ALL'] })).toBe(0n);
        await expect(create(pod, secure({ capabilities: { addCapabilities: ['NONSENSE'] } }))).rejects.toThrow(/NONSENSE/i);
      });
      needs('kernel')('privileged or not, read-only root or not', async () => {
        const pod = await runPod(podConfig({ linux: { securityContext: { privileged: true } } } as Partial<SandboxInit>));
        const privileged = await start(pod, secure({ privileged: true }));
        expect((await exec(privileged.containerId, 'ip link add dummy-x type bridge && ip link del dummy-x')).exitCode).toBe(0);
        const plain = await start(pod, secure({ privileged: false }));
        expect((await exec(plain.containerId, 'ip link add dummy-x type bridge')).exitCode).not.toBe(0);
        expect((await exec(plain.containerId, 'touch /x && echo ok')).out).toBe('ok');
        const readonly = await start(pod, secure({ readonlyRootfs: true }));
        expect((await exec(readonly.containerId, 'touch /x')).exitCode).not.toBe(0);
      });
      needs('kernel')('masked and read-only paths', async () => {
        const { containerId } = await start(await runPod(), secure({ maskedPaths: ['/etc/passwd', '/root'], readonlyPaths: ['/tmp'] }));
        expect((await exec(containerId, 'wc -c < /etc/passwd; ls -A /root | wc -l')).out).toBe('0\n0');
        expect((await exec(containerId, 'touch /tmp/x')).exitCode).not.toBe(0);
        const { containerId: plain } = await start(await runPod(), secure({ maskedPaths: [], readonlyPaths: [] }));
        expect((await exec(plain, 'test -s /etc/passwd && touch /tmp/x && echo ok')).out).toBe('ok');
      });
      needs('kernel')('no-new-privileges', async () => {
        const pod = await runPod();
        for (const noNewPrivs of [true, false]) {
          const { containerId } = await start(pod, secure({ noNewPrivs }));
          expect((await exec(containerId, "grep NoNewPrivs /proc/self/status | awk '{print $2}'")).out).toBe(noNewPrivs ? '1' : '0');
        }
      });
      needs('kernel')('seccomp: default, unconfined, local profile, privileged', async () => {
        const pod = await runPod();
        const mode = async (context: object) => {
          const { containerId } = await start(pod, secure(context));
          return {
            seccomp: (await exec(containerId, "grep '^Seccomp:' /proc/self/status | awk '{print $2}'")).out,
            rename: (await exec(containerId, 'hostname other')).exitCode === 0,
          };
        };
        const admin = { capabilities: { addCapabilities: ['SYS_ADMIN'] } };
        const path = join(dir, 'seccomp.json');
        await writeFile(path, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['sethostname'], action: 'SCMP_ACT_ERRNO' }] }));
        const local = { seccomp: { profileType: ProfileType.Localhost, localhostRef: path } };
        expect((await mode({ seccomp: { profileType: ProfileType.RuntimeDefault } })).seccomp).toBe('2');
        expect(await mode({ ...admin, seccomp: { profileType: ProfileType.Unconfined } })).toEqual({ seccomp: '0', rename: true });
        expect(await mode({ ...admin, ...local })).toEqual({ seccomp: '2', rename: false });
        expect(await mode({ privileged: true, ...local })).toEqual({ seccomp: '0', rename: true });
      });
    });

    describe.each(['spdy', 'websocket'] as const)('streaming over %s', (transport) => {
      it('exec without a terminal', async () => {
        const { containerId } = await start(await runPod());
        const { url } = await cri.runtime.exec({ containerId, cmd: ['sh', '-c', 'echo hello; echo bad >&2; exit 9'], stdout: true, stderr: true });
        const session = await dialCommand({ url, transport }, { stdin: false, stdout: true, stderr: true, tty: false });
        expect(await Promise.all([text(session.stdout!), text(session.stderr!), session.outcome])).toEqual(['hello\n', 'bad\n', { type: 'exit', code: 9 }]);
      });
      needs('programs')('exec with standard input to its end', async () => {
        const { containerId } = await start(await runPod());
        const { url } = await cri.runtime.exec({ containerId, cmd: ['md5sum'], stdin: true, stdout: true });
        // Protocols before v5 cannot half-close a WebSocket; both newest ones can.
        const session = await dialCommand({ url, transport }, { stdin: true, stdout: true, stderr: false, tty: false });
        session.stdin!.end(Buffer.alloc(300_000, 'z'));
        const sum = createHash('md5').update(Buffer.alloc(300_000, 'z')).digest('hex');
        expect((await text(session.stdout!)).slice(0, 32)).toBe(sum);
        expect(await session.outcome).toEqual({ type: 'exit', code: 0 });
      });
      needs('programs')('exec with a terminal, and its size', async () => {
        const { containerId } = await start(await runPod());
        const { url } = await cri.runtime.exec({ containerId, cmd: ['sh'], stdin: true, stdout: true, tty: true });
        const session = await dialCommand({ url, transport }, { stdin: true, stdout: true, stderr: false, tty: true });
        session.resize({ width: 91, height: 33 });
        session.stdin!.write('until [ "$(stty size)" = "33 91" ]; do sleep 0.05; done; echo size-ok; exit 4\n');
        const [output, outcome] = await Promise.all([text(session.stdout!), session.outcome]);
        expect(output).toMatch(/size-ok\r\n/);
        expect(outcome).toEqual({ type: 'exit', code: 4 });
      });
      needs('programs')('attach to a running container', async () => {
        const { containerId } = await start(await runPod(), {
          command: ['sh', '-c', 'while read line; do echo "got $line"; done'],
          stdin: true,
          stdinOnce: true,
        } as Partial<ContainerInit>);
        const { url } = await cri.runtime.attach({ containerId, stdin: true, stdout: true, stderr: true });
        const session = await dialCommand({ url, transport }, { stdin: true, stdout: true, stderr: true, tty: false });
        session.stdin!.end('a\nb\n');
        expect(await text(session.stdout!)).toBe('got a\ngot b\n');
        await exited(containerId);
      });
      it('port-forward', async () => {
        const pod = await runPod();
        const server = await start(pod, { command: ['sh', '-c', 'mkdir /www; echo forwarded > /www/index.html; httpd -f -p 8090 -h /www'] });
        await expect.poll(async () => (await exec(server.containerId, 'wget -qO- http://127.0.0.1:8090/')).out, { timeout: 10_000 }).toBe('forwarded');
        const { url } = await cri.runtime.portForward({ podSandboxId: pod.podSandboxId, port: [8090] });
        const forward = await dialPortForward({ url, transport });
        const stream = await forward.open(8090);
        stream.write('GET / HTTP/1.0\r\n\r\n');
        expect((await buffer(stream)).toString()).toContain('forwarded');
        forward.close();
      });
    });
  });
}

import { readFile, rename } from 'node:fs/promises';
import { type ContainerEventType, ContainerState, Signal } from '@coxswain/cri';
import { describe, expect, it } from 'vitest';
import type { ContainerInit, CriBench } from './cri-bench.js';

/** Containers and their logs. */
export function containerCases(t: CriBench): void {
  const { needs, runPod, create, start, exec, status, exited, logLines } = t;

  describe('containers', () => {
    it('are created, started, stopped and removed', async () => {
      const pod = await runPod();
      const { containerId } = await create(pod);
      expect((await status(containerId)).state).toBe(ContainerState.CONTAINER_CREATED);
      await t.cri.runtime.startContainer({ containerId });
      expect(await status(containerId)).toMatchObject({ state: ContainerState.CONTAINER_RUNNING, exitCode: 0 });
      await t.cri.runtime.stopContainer({ containerId, timeout: 0n });
      const stopped = await status(containerId);
      expect(stopped).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
      expect(stopped.startedAt > 0n && stopped.finishedAt >= stopped.startedAt).toBe(true);
      await t.cri.runtime.removeContainer({ containerId });
      expect((await t.cri.runtime.listContainers({ filter: { id: containerId } })).containers).toEqual([]);
    });
    it('are removed while running', async () => {
      const { containerId } = await start(await runPod());
      await t.cri.runtime.removeContainer({ containerId });
      await expect(status(containerId)).rejects.toMatchObject({ code: 'notFound' });
    });
    it('keep their attributes', async () => {
      const pod = await runPod();
      const { containerId } = await create(pod, { labels: { a: 'b' }, annotations: { c: 'd' } } as Partial<ContainerInit>);
      const { containers } = await t.cri.runtime.listContainers({ filter: { labelSelector: { a: 'b' }, podSandboxId: pod.podSandboxId } });
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
      await t.cri.runtime.stopContainer({ containerId: graceful.containerId, timeout: 10n });
      expect((await status(graceful.containerId)).exitCode).toBe(7);
    });
    it('that cannot be started say why', async () => {
      const { containerId } = await create(await runPod(), { command: ['/no/such/command'] });
      await expect(t.cri.runtime.startContainer({ containerId })).rejects.toThrow(/no such file or directory/i);
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
    needs('programs')('are stopped by the signal they ask for, and say which', async () => {
      const { containerId, logPath } = await start(await runPod(), {
        command: ['sh', '-c', 'trap "exit 42" USR1; trap "" TERM; echo ready; while :; do sleep 0.05; done'],
        stopSignal: Signal.SIGUSR1,
      } as Partial<ContainerInit>);
      await expect.poll(async () => (await logLines(logPath)).length, { timeout: 10_000 }).toBe(1);
      expect((await status(containerId)).stopSignal).toBe(Signal.SIGUSR1);
      await t.cri.runtime.stopContainer({ containerId, timeout: 60n });
      expect(await status(containerId)).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 42 });
    });
    it('of one pod run side by side and can be entered', async () => {
      const pod = await runPod();
      const [a, b] = await Promise.all([start(pod), start(pod)]);
      expect([(await exec(a.containerId, 'echo a')).out, (await exec(b.containerId, 'echo b')).out]).toEqual(['a', 'b']);
    });
    it('execSync returns output and code, and ends at its timeout', async () => {
      const { containerId } = await start(await runPod());
      expect(await exec(containerId, 'echo out; echo err >&2; exit 5')).toEqual({ out: 'out', err: 'err', exitCode: 5 });
      await expect(t.cri.runtime.execSync({ containerId, cmd: ['sleep', '100'], timeout: 1n })).rejects.toMatchObject({ code: 'deadlineExceeded' });
      await expect(t.cri.runtime.execSync({ containerId, cmd: ['/no/such'], timeout: 5n })).rejects.toThrow(/no such file or directory|not found/i);
    });
    needs('kernel')('execSync drops what goes beyond 16 MB, without an error', async () => {
      const { containerId } = await start(await runPod());
      const { stdout, exitCode } = await t.cri.runtime.execSync({ containerId, cmd: ['head', '-c', '18000000', '/dev/zero'], timeout: 30n });
      expect(stdout.length).toBeGreaterThanOrEqual(16_000_000);
      expect(exitCode).toBe(0);
    });
    it('list statistics, filtered and not', async () => {
      const pod = await runPod();
      const [a] = [await start(pod, { labels: { stats: 'x' } } as Partial<ContainerInit>), await create(pod), await create(pod)];
      const byLabel = await t.cri.runtime.listContainerStats({ filter: { labelSelector: { stats: 'x' } } });
      expect(byLabel.stats.map((s) => s.attributes?.id)).toEqual([a.containerId]);
      expect(byLabel.stats[0]?.cpu?.usageCoreNanoSeconds?.value).toBeGreaterThan(0n);
      expect(byLabel.stats[0]?.memory?.workingSetBytes?.value).toBeGreaterThan(0n);
      expect((await t.cri.runtime.listContainerStats({})).stats.length).toBeGreaterThanOrEqual(3);
      expect((await t.cri.runtime.containerStats({ containerId: a.containerId })).stats?.writableLayer?.usedBytes?.value).toBeGreaterThanOrEqual(0n);
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
      await t.cri.runtime.updateContainerResources({ containerId, linux: { cpuShares: 512n } });
      expect((await status(containerId)).resources?.linux).toMatchObject({ cpuShares: 512n, memoryLimitInBytes: 64n * 1024n * 1024n });
    });
    needs('kernel')('start with the limits that they were given after they were made', async () => {
      const { containerId } = await create(await runPod(), { linux: undefined } as Partial<ContainerInit>);
      await t.cri.runtime.updateContainerResources({ containerId, linux: { memoryLimitInBytes: 64n * 1024n * 1024n } });
      await t.cri.runtime.startContainer({ containerId });
      expect((await exec(containerId, 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max')).out).toBe(String(64 * 1024 * 1024));
      expect((await status(containerId)).resources?.linux).toMatchObject({ memoryLimitInBytes: 64n * 1024n * 1024n });
    });
    it('start without a CPU limit, get one, and lose it again', async () => {
      const { containerId } = await start(await runPod(), {
        linux: { resources: { cpuShares: 2n, cpuQuota: -1n, cpuPeriod: 100_000n } },
      } as Partial<ContainerInit>);
      await t.cri.runtime.updateContainerResources({ containerId, linux: { cpuQuota: 50_000n, cpuPeriod: 100_000n } });
      expect((await status(containerId)).resources?.linux).toMatchObject({ cpuQuota: 50_000n });
      await t.cri.runtime.updateContainerResources({ containerId, linux: { cpuQuota: -1n, cpuPeriod: 100_000n } });
      expect((await status(containerId)).resources?.linux).toMatchObject({ cpuShares: 2n, cpuQuota: -1n });
    });
    it('are told about as events', async () => {
      const stop = new AbortController();
      const seen: [string, ContainerEventType][] = [];
      const reading = (async () => {
        for await (const e of t.cri.runtime.getContainerEvents({}, { signal: stop.signal })) seen.push([e.containerId, e.containerEventType]);
      })().catch(() => {});
      const pod = await runPod();
      const { containerId } = await start(pod, { command: ['true'] });
      await exited(containerId);
      await t.cri.runtime.removeContainer({ containerId });
      await t.cri.runtime.removePodSandbox({ podSandboxId: pod.podSandboxId });
      const told = (subject: string) => seen.filter(([id]) => id === subject).map(([, type]) => type);
      await expect
        .poll(() => [told(containerId), told(pod.podSandboxId)], { timeout: 20_000 })
        .toEqual([
          [0, 1, 2, 3],
          [0, 1, 2, 3],
        ]);
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
    needs('programs')('are there once the container is started, and whole once it has ended', async () => {
      const pod = await runPod();
      for (let i = 0; i < 3; i++) {
        const { containerId, logPath } = await start(pod, { command: ['sh', '-c', 'echo last words'] });
        expect(await readFile(logPath, 'utf8')).toBeTypeOf('string');
        await exited(containerId);
        expect(await logLines(logPath)).toEqual([['stdout', 'F', 'last words']]);
      }
    });
    it('go on in a new file when reopened', async () => {
      const { containerId, logPath } = await start(await runPod(), { command: ['sh', '-c', 'while :; do echo tick; sleep 0.05; done'] });
      await expect.poll(async () => (await readFile(logPath, 'utf8').catch(() => '')).length, { timeout: 10_000 }).toBeGreaterThan(0);
      await rename(logPath, `${logPath}.1`);
      await t.cri.runtime.reopenContainerLog({ containerId });
      expect(await readFile(logPath, 'utf8')).toBeTypeOf('string');
      await expect.poll(async () => (await readFile(logPath, 'utf8').catch(() => '')).length, { timeout: 10_000 }).toBeGreaterThan(0);
    });
  });
}

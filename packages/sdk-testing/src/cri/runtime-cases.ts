import { PodSandboxState } from '@coxswain/cri';
import { describe, expect, it } from 'vitest';
import type { CriBench, SandboxInit } from './cri-bench.js';

/** Runtime and pod sandboxes. */
export function runtimeCases(t: CriBench): void {
  const { needs, podConfig, runPod, start, exec } = t;

  describe('runtime info', () => {
    it('returns version info', async () => {
      const version = await t.cri.runtime.version({ version: 'v1' });
      expect(version.runtimeApiVersion).toBe('v1');
      expect(version.runtimeName).not.toBe('');
      expect(version.runtimeVersion).not.toBe('');
    });
    it('returns runtime conditions', async () => {
      const { status: s } = await t.cri.runtime.status({});
      for (const type of ['RuntimeReady', ...(t.under.network === false ? [] : ['NetworkReady'])])
        expect(s?.conditions.find((c) => c.type === type)).toMatchObject({ status: true });
    });
  });

  describe('idempotence', () => {
    const missing = 'f'.repeat(64);
    it('does not fail for what is not there, or already stopped', async () => {
      await t.cri.runtime.removeContainer({ containerId: missing });
      await t.cri.runtime.stopContainer({ containerId: missing });
      await t.cri.runtime.stopPodSandbox({ podSandboxId: missing });
      await t.cri.runtime.removePodSandbox({ podSandboxId: missing });
      await t.cri.image.removeImage({ image: { image: `${t.under.images.base}-missing` } });
      const pod = await runPod();
      await t.cri.runtime.stopPodSandbox({ podSandboxId: pod.podSandboxId });
      await expect(t.cri.runtime.stopPodSandbox({ podSandboxId: pod.podSandboxId })).resolves.toBeDefined();
    });
    it('says not found where a thing is asked about', async () => {
      await expect(t.cri.runtime.containerStatus({ containerId: missing })).rejects.toMatchObject({ code: 'notFound' });
      await expect(t.cri.runtime.podSandboxStatus({ podSandboxId: missing })).rejects.toMatchObject({ code: 'notFound' });
      expect((await t.cri.image.imageStatus({ image: { image: `${t.under.images.base}-missing` } })).image).toBeUndefined();
    });
  });

  describe('pod sandboxes', () => {
    it('run, stop and are removed, and keep their attributes', async () => {
      const pod = await runPod();
      const get = async () => (await t.cri.runtime.podSandboxStatus({ podSandboxId: pod.podSandboxId })).status!;
      const first = await get();
      expect(first).toMatchObject({
        state: PodSandboxState.SANDBOX_READY,
        labels: (pod.config as { labels: object }).labels,
        annotations: { note: 'kept' },
        metadata: { attempt: 2, namespace: 'suite' },
      });
      expect(first.network?.ip).toMatch(t.under.network === false ? /^/ : /^[\d.]+$|:/);
      const listed = await t.cri.runtime.listPodSandbox({ filter: { labelSelector: (pod.config as { labels: Record<string, string> }).labels } });
      expect(listed.items.map((i) => i.id)).toEqual([pod.podSandboxId]);
      await t.cri.runtime.stopPodSandbox({ podSandboxId: pod.podSandboxId });
      expect((await get()).state).toBe(PodSandboxState.SANDBOX_NOTREADY);
      await t.cri.runtime.removePodSandbox({ podSandboxId: pod.podSandboxId });
      await expect(get()).rejects.toMatchObject({ code: 'notFound' });
    });
    needs('kernel')('set sysctls, safe and unsafe', async () => {
      const pod = await runPod(
        podConfig({
          linux: {
            sysctls: { 'kernel.shm_rmid_forced': '1', 'net.ipv4.ip_local_port_range': '1024 65000', 'kernel.msgmax': '8193', 'fs.mqueue.msg_max': '100' },
          },
        } as Partial<SandboxInit>),
      );
      const { containerId } = await start(pod);
      expect(
        (
          await exec(
            containerId,
            'cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_local_port_range /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max',
          )
        ).out.split(/\s+/),
      ).toEqual(['1', '1024', '65000', '8193', '100']);
    });
    it('and containers need names, and containers an image', async () => {
      const refused = { code: 'invalidArgument' };
      await expect(t.cri.runtime.runPodSandbox({})).rejects.toMatchObject(refused);
      await expect(t.cri.runtime.runPodSandbox({ config: { linux: {} } })).rejects.toMatchObject(refused);
      const { podSandboxId } = await runPod();
      const image = { image: t.under.images.base };
      await expect(t.cri.runtime.createContainer({ podSandboxId, config: { image } })).rejects.toMatchObject(refused);
      await expect(t.cri.runtime.createContainer({ podSandboxId, config: { metadata: { name: 'c' } } })).rejects.toMatchObject(refused);
    });
    it('refuse a second sandbox of the same name and attempt', async () => {
      const { config } = await runPod();
      await expect(t.cri.runtime.runPodSandbox({ config })).rejects.toThrow(/reserved/);
    });
  });
}

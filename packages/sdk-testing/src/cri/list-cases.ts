import { ContainerState, PodSandboxState } from '@coxswain/cri';
import { describe, expect } from 'vitest';
import type { ContainerInit, CriBench, SandboxInit } from './cri-bench.js';

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of stream) out.push(item);
  return out;
}

/** The streaming forms of the lists, and metrics: what CRI has from v1.36 on. */
export function listCases(t: CriBench): void {
  const { needs, podConfig, runPod, create, start } = t;

  describe('lists as streams', () => {
    const labelled = async () => {
      const labels = { list: `l${t.next()}` };
      const pod = await runPod(podConfig({ labels } as Partial<SandboxInit>));
      const { containerId } = await start(pod, { labels } as Partial<ContainerInit>);
      return { ...pod, containerId, labels };
    };
    const other = { list: 'none' };

    needs('metrics')('of pods and containers take the filters of the lists', async () => {
      const { podSandboxId, containerId, labels } = await labelled();
      const { runtime } = t.cri;
      const pods = async (filter: object) => (await all(runtime.streamPodSandboxes({ filter }))).flatMap((r) => r.podSandboxes).map((p) => p.id);
      expect(await pods({ id: podSandboxId })).toEqual([podSandboxId]);
      expect(await pods({ state: { state: PodSandboxState.SANDBOX_READY } })).toContain(podSandboxId);
      expect([await pods({ labelSelector: labels }), await pods({ labelSelector: other }), await pods({ id: 'none' })]).toEqual([[podSandboxId], [], []]);
      const containers = async (filter: object) => (await all(runtime.streamContainers({ filter }))).flatMap((r) => r.containers).map((c) => c.id);
      expect(await containers({ podSandboxId })).toEqual([containerId]);
      expect(await containers({ state: { state: ContainerState.CONTAINER_RUNNING } })).toContain(containerId);
      await t.cri.runtime.removeContainer({ containerId });
      expect(await containers({ id: containerId })).toEqual([]);
    });
    needs('metrics')('of statistics take the filters of the lists', async () => {
      const { podSandboxId, containerId, labels } = await labelled();
      const { runtime } = t.cri;
      const containers = async (filter: object) => (await all(runtime.streamContainerStats({ filter }))).flatMap((r) => r.containerStats);
      expect((await containers({ id: containerId })).map((s) => s.attributes?.id)).toEqual([containerId]);
      expect((await containers({ labelSelector: labels })).map((s) => s.attributes?.id)).toEqual([containerId]);
      expect(await containers({ labelSelector: other })).toEqual([]);
      const pods = async (request: object) => (await all(runtime.streamPodSandboxStats(request))).flatMap((r) => r.podSandboxStats);
      expect((await pods({ filter: { id: podSandboxId } })).map((s) => s.attributes?.id)).toEqual([podSandboxId]);
      expect((await pods({})).map((s) => s.attributes?.id)).toContain(podSandboxId);
      expect((await pods({ filter: { labelSelector: labels } })).map((s) => s.attributes?.id)).toEqual([podSandboxId]);
    });
    needs('metrics')('of images are the list, filtered too', async () => {
      const { base } = t.under.images;
      const tags = async (filter: object) => (await all(t.cri.image.streamImages({ filter }))).flatMap((r) => r.images).flatMap((i) => i.repoTags);
      expect(await tags({})).toContain(base);
      expect(await tags({ image: { image: base } })).toContain(base);
      expect(await tags({ image: { image: `${base}-missing` } })).toEqual([]);
    });
    needs('metrics')('of metrics: every sample is described, of pods and of what runs in them', async () => {
      const pod = await runPod();
      const { containerId } = await start(pod);
      const { containerId: idle } = await create(pod);
      const { descriptors } = await t.cri.runtime.listMetricDescriptors({});
      const labelsOf = new Map(descriptors.map((d) => [d.name, d.labelKeys]));
      const { podMetrics } = await t.cri.runtime.listPodSandboxMetrics({});
      const mine = podMetrics.find((p) => p.podSandboxId === pod.podSandboxId);
      const running = mine?.containerMetrics.find((c) => c.containerId === containerId);
      expect(mine?.containerMetrics.map((c) => c.containerId)).not.toContain(idle);
      for (const { name, labelValues, value } of [...(mine?.metrics ?? []), ...(running?.metrics ?? [])]) {
        expect([name, labelsOf.get(name)?.length]).toEqual([name, labelValues.length]);
        expect(value).toBeDefined();
      }
      expect(running?.metrics.find((m) => m.name === 'container_processes')?.value?.value).toBeGreaterThan(0n);
      const memory = running?.metrics.find((m) => m.name === 'container_memory_working_set_bytes');
      expect(memory?.value?.value).toBeGreaterThan(0n);
      expect(memory?.labelValues[labelsOf.get('container_memory_working_set_bytes')?.indexOf('namespace') ?? -1]).toBe('suite');
      const streamed = (await all(t.cri.runtime.streamPodSandboxMetrics({}))).flatMap((r) => r.podSandboxMetrics);
      expect(streamed.map((p) => p.podSandboxId)).toContain(pod.podSandboxId);
    });
  });
}

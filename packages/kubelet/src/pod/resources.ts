import type { Container, Pod } from '@coxswain/api';
import { milliCpu, quantityValue, wholeUnits } from './quantity.js';
import { isSidecar } from './pod-spec.js';
import { type QosClass, qosClass } from './qos.js';

const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
const MIN_QUOTA = 1000;
/** The smallest CPU limit that has an effect: what the smallest quota is in the default period. */
export const MIN_CPU_LIMIT_MILLI = 10;

/** 1024 shares a CPU. */
export function sharesOf(milli: number): number {
  return milli === 0 ? MIN_SHARES : Math.min(Math.max(Math.floor((milli * 1024) / 1000), MIN_SHARES), MAX_SHARES);
}

/** Microseconds per period; -1: no limit. */
export function quotaOf(milli: number, periodMicros: number): number {
  return milli === 0 ? -1 : Math.max(Math.floor((milli * periodMicros) / 1000), MIN_QUOTA);
}

export interface LinuxResources {
  readonly cpuShares: number;
  readonly cpuQuota: number;
  readonly cpuPeriod: number;
  /** Bytes; 0: no limit. */
  readonly memoryLimit: number;
  readonly oomScoreAdj: number;
}

export interface ResourceOptions {
  readonly cpuCfsQuota: boolean;
  readonly cpuCfsPeriodMicros: number;
  /** Capacity of the node, bytes: weighs Burstable containers for the OOM killer. */
  readonly memoryCapacity: number;
  /** Processes a pod may have; absent or -1: as many as the node. */
  readonly podPidsLimit?: number;
}

/** What the runtime is told for one container. Where it has no limit of its own its pod's holds. */
export function containerResources(pod: Pod, container: Container, options: ResourceOptions): LinuxResources {
  const { requests, limits } = container.resources ?? {};
  const ofPod = pod.spec?.resources?.limits;
  const cpuLimit = milliCpu(limits?.cpu) || milliCpu(ofPod?.cpu);
  const cpuRequest = requests?.cpu !== undefined ? milliCpu(requests.cpu) : cpuLimit;
  return {
    cpuShares: sharesOf(cpuRequest),
    cpuPeriod: options.cpuCfsPeriodMicros,
    cpuQuota: options.cpuCfsQuota ? quotaOf(cpuLimit, options.cpuCfsPeriodMicros) : -1,
    memoryLimit: wholeUnits(limits?.memory) || wholeUnits(ofPod?.memory),
    oomScoreAdj: oomScoreAdj(pod, container, options.memoryCapacity),
  };
}

/**
 * How early the kernel's OOM killer takes a container: −997 Guaranteed and node-critical, 1000 BestEffort, between by memory request. What a
 * pod requests beyond its containers' requests is shared between them.
 */
export function oomScoreAdj(pod: Pod, container: Container, memoryCapacity: number): number {
  if ((pod.spec?.priority ?? 0) >= 2_000_001_000 || pod.spec?.priorityClassName === 'system-node-critical') return -997;
  switch (qosClass(pod)) {
    case 'Guaranteed':
      return -997;
    case 'BestEffort':
      return 1000;
    case 'Burstable': {
      const smallest = Math.min(...(pod.spec?.containers ?? []).map((c) => memoryRequest(c)));
      // A sidecar is not killed before the containers it serves.
      const own = isSidecar(container) ? Math.max(memoryRequest(container), smallest) : memoryRequest(container);
      const request = own + sharedRequest(pod);
      const adjust = memoryCapacity > 0 ? Math.floor(1000 - (1000 * request) / memoryCapacity) : 999;
      if (adjust < 3) return 3;
      return adjust === 1000 ? 999 : adjust;
    }
  }
}

function sharedRequest({ spec }: Pod): number {
  const ofPod = wholeUnits(spec?.resources?.requests?.memory);
  if (ofPod === 0 || !spec) return 0;
  const { resources: _pod, overhead: _overhead, ...alone } = spec;
  const count = (spec.containers ?? []).length + (spec.initContainers ?? []).length;
  return Math.max(0, Math.floor((ofPod - podRequest({ apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: alone }, 'memory')) / count));
}

function memoryRequest(container: Container): number {
  return wholeUnits(container.resources?.requests?.memory ?? container.resources?.limits?.memory);
}

/** What a pod takes of one resource: the larger of its running containers together and any moment of its initialisation, plus overhead. */
export function podRequest(pod: Pod, resource: string, which: 'requests' | 'limits' = 'requests'): number {
  const podLevel = pod.spec?.resources?.[which]?.[resource];
  const amount = (c: Container) => {
    const { requests, limits } = c.resources ?? {};
    return quantityValue(which === 'limits' ? limits?.[resource] : (requests?.[resource] ?? limits?.[resource]));
  };
  const overhead = quantityValue(pod.spec?.overhead?.[resource]);
  if (podLevel !== undefined) return quantityValue(podLevel) + overhead;
  let sidecars = 0;
  let peak = 0;
  for (const c of pod.spec?.initContainers ?? []) {
    if (isSidecar(c)) sidecars += amount(c);
    peak = Math.max(peak, sidecars + (isSidecar(c) ? 0 : amount(c)));
  }
  const running = (pod.spec?.containers ?? []).reduce((sum, c) => sum + amount(c), 0) + sidecars;
  return Math.max(running, peak) + overhead;
}

export interface PodCgroupLimits {
  readonly cpuShares: number;
  /** -1: no limit. */
  readonly cpuQuotaMicros: number;
  readonly cpuPeriodMicros: number;
  /** -1: no limit. */
  readonly memoryBytes: number;
  readonly pids?: number;
}

/** Limits of the cgroup around a pod. A ceiling only when every container has one. */
export function podCgroupLimits(pod: Pod, options: ResourceOptions): PodCgroupLimits {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const limited = (name: string) =>
    pod.spec?.resources?.limits?.[name] !== undefined || containers.every((c) => quantityValue(c.resources?.limits?.[name]) > 0);
  const cpuLimit = Math.ceil(podRequest(pod, 'cpu', 'limits') * 1000 - 1e-9);
  const qos: QosClass = qosClass(pod);
  const pids = (options.podPidsLimit ?? -1) > 0 ? { pids: options.podPidsLimit as number } : {};
  const unlimited = { cpuQuotaMicros: -1, cpuPeriodMicros: options.cpuCfsPeriodMicros, memoryBytes: -1, ...pids };
  if (qos === 'BestEffort') return { ...unlimited, cpuShares: MIN_SHARES };
  return {
    ...pids,
    cpuShares: sharesOf(Math.ceil(podRequest(pod, 'cpu') * 1000 - 1e-9)),
    cpuPeriodMicros: options.cpuCfsPeriodMicros,
    cpuQuotaMicros: options.cpuCfsQuota && limited('cpu') ? quotaOf(cpuLimit, options.cpuCfsPeriodMicros) : -1,
    memoryBytes: limited('memory') ? Math.ceil(podRequest(pod, 'memory', 'limits')) : -1,
  };
}

/** `/kubepods/burstable/pod<uid>` below `root`. */
export function podCgroupPath(root: string, pod: Pod): string {
  return podCgroupPathOf(root, qosClass(pod), pod.metadata?.uid ?? '');
}

export function podCgroupPathOf(root: string, qos: QosClass, uid: string): string {
  const base = `${root === '/' ? '' : root}/kubepods`;
  return qos === 'Guaranteed' ? `${base}/pod${uid}` : `${base}/${qos.toLowerCase()}/pod${uid}`;
}

import type { ContainerImage, Node, NodeCondition, NodeStatus } from '@coxswain/api';
import type { DiskUsage, MachineFacts } from '@coxswain/linux';
import type { KubeletOptions } from '../options.js';
import { formatMilli, milliCpu, wholeUnits } from '../pod/quantity.js';
import { apiTime } from '../pod/time.js';
import { nodeFeatures } from './declared-features.js';

export interface RuntimeFacts {
  readonly name: string;
  readonly version: string;
  readonly handlers: readonly { readonly name: string; readonly recursiveReadOnlyMounts: boolean; readonly userNamespaces: boolean }[];
  readonly supplementalGroupsPolicy: boolean;
}

export interface PressureFacts {
  readonly memory: boolean;
  readonly disk: boolean;
  readonly pids: boolean;
}

export interface NodeStatusInput {
  readonly options: KubeletOptions;
  readonly machine: MachineFacts;
  readonly disk: DiskUsage;
  readonly runtime: RuntimeFacts | undefined;
  /** Why the node is not ready; empty: it is. */
  readonly notReady: readonly string[];
  readonly pressure: PressureFacts;
  readonly images: readonly ContainerImage[];
  readonly port: number;
  readonly volumesInUse: readonly string[];
  readonly now: number;
}

const Ki = 1024;
/** For the cloud controller manager: the address this kubelet was told to use, and that the node waits for it. */
export const PROVIDED_IP = 'alpha.kubernetes.io/provided-node-ip';
const UNINITIALIZED = { key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' };

/** What the machine has. */
export function nodeCapacity({ options, machine, disk }: Pick<NodeStatusInput, 'options' | 'machine' | 'disk'>): Record<string, string> {
  return {
    cpu: String(machine.cpuCount),
    memory: `${Math.floor(machine.memoryBytes / Ki)}Ki`,
    ...(options.localStorageCapacityIsolation ? { 'ephemeral-storage': `${Math.floor(disk.totalBytes / Ki)}Ki` } : {}),
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    pods: String(options.maxPods),
    ...options.capacity,
  };
}

/** Resources that neither we nor the machine know: somebody wrote them into the capacity, and we offer all of them. */
export function extendedResources(status: NodeStatus | undefined): Record<string, string> {
  const own = (name: string) => !name.includes('/') || name.startsWith('kubernetes.io/') || name.includes('.kubernetes.io/');
  return Object.fromEntries(Object.entries(status?.capacity ?? {}).filter(([name]) => !own(name)));
}

/** Capacity without what is reserved for the system, for us, and for the eviction thresholds. */
export function nodeAllocatable(capacity: Readonly<Record<string, string>>, options: KubeletOptions): Record<string, string> {
  const { systemReserved, kubeReserved, evictionHard } = options;
  const threshold = (signal: string, total: number) => {
    const value = evictionHard[signal];
    if (!value) return 0;
    return value.endsWith('%') ? Math.floor((total * Number(value.slice(0, -1))) / 100) : wholeUnits(value);
  };
  const cpu = milliCpu(capacity['cpu']) - milliCpu(systemReserved['cpu']) - milliCpu(kubeReserved['cpu']);
  const total = wholeUnits(capacity['memory']);
  const memory = total - wholeUnits(systemReserved['memory']) - wholeUnits(kubeReserved['memory']) - threshold('memory.available', total);
  const size = wholeUnits(capacity['ephemeral-storage']);
  const storage = size - wholeUnits(systemReserved['ephemeral-storage']) - wholeUnits(kubeReserved['ephemeral-storage']) - threshold('nodefs.available', size);
  return {
    ...capacity,
    cpu: formatMilli(Math.max(0, cpu)),
    memory: `${Math.max(0, Math.floor(memory / Ki))}Ki`,
    ...(capacity['ephemeral-storage'] === undefined ? {} : { 'ephemeral-storage': String(Math.max(0, storage)) }),
  };
}

/** The node's status; transition times are taken over where nothing turned. Pure. */
export function nodeStatus(before: NodeStatus | undefined, input: NodeStatusInput): NodeStatus {
  const { options, machine, runtime, pressure, now } = input;
  const capacity = { ...nodeCapacity(input), ...extendedResources(before) };
  const condition = (type: string, status: boolean, reason: string, message: string): NodeCondition => {
    const old = before?.conditions?.find((c) => c.type === type);
    const text = status ? 'True' : 'False';
    return {
      type,
      status: text,
      reason,
      message,
      lastHeartbeatTime: apiTime(now),
      lastTransitionTime: old?.status === text && old.lastTransitionTime ? old.lastTransitionTime : apiTime(now),
    };
  };
  const ready = input.notReady.length === 0;
  return {
    addresses:
      // The cloud knows better, once it was asked.
      options.cloudProvider === 'external' && before?.addresses?.length
        ? before.addresses
        : [...options.nodeIPs.map((address) => ({ type: 'InternalIP', address })), { type: 'Hostname', address: options.hostname }],
    capacity,
    allocatable: nodeAllocatable(capacity, options),
    conditions: [
      pressure.memory
        ? condition('MemoryPressure', true, 'KubeletHasInsufficientMemory', 'kubelet has insufficient memory available')
        : condition('MemoryPressure', false, 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      pressure.disk
        ? condition('DiskPressure', true, 'KubeletHasDiskPressure', 'kubelet has disk pressure')
        : condition('DiskPressure', false, 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      pressure.pids
        ? condition('PIDPressure', true, 'KubeletHasInsufficientPID', 'kubelet has insufficient PID available')
        : condition('PIDPressure', false, 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      ready
        ? condition('Ready', true, 'KubeletReady', 'kubelet is posting ready status')
        : condition('Ready', false, 'KubeletNotReady', input.notReady.length === 1 ? (input.notReady[0] as string) : `[${input.notReady.join(', ')}]`),
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: input.port } },
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.systemUuid,
      bootID: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: runtime ? `${runtime.name}://${runtime.version}` : '',
      kubeletVersion: options.version,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: machine.architecture,
      ...(machine.swapBytes > 0 ? { swap: { capacity: machine.swapBytes } } : {}),
    },
    images: [...input.images],
    ...(input.volumesInUse.length > 0 || before?.volumesInUse?.length ? { volumesInUse: [...input.volumesInUse] } : {}),
    ...(runtime?.handlers.length
      ? {
          runtimeHandlers: runtime.handlers.map((h) => ({
            name: h.name,
            features: { recursiveReadOnlyMounts: h.recursiveReadOnlyMounts, userNamespaces: h.userNamespaces },
          })),
        }
      : {}),
    declaredFeatures: [...nodeFeatures],
    ...(runtime ? { features: { supplementalGroupsPolicy: runtime.supplementalGroupsPolicy } } : {}),
  };
}

/** The object a node registers with. */
export function newNode(status: NodeStatus, options: KubeletOptions, architecture: string): Node & { metadata: NonNullable<Node['metadata']> } {
  const taints = [...options.registerWithTaints.map((t) => ({ ...t })), ...(options.cloudProvider === 'external' ? [UNINITIALIZED] : [])];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: options.nodeName,
      labels: {
        ...options.nodeLabels,
        'kubernetes.io/hostname': options.hostname,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': architecture,
        'beta.kubernetes.io/os': 'linux',
        'beta.kubernetes.io/arch': architecture,
      },
      annotations: {
        'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
        ...(options.cloudProvider === 'external' && !options.nodeIPsDetected ? { [PROVIDED_IP]: options.nodeIPs.join(',') } : {}),
      },
    },
    spec: {
      ...(taints.length > 0 ? { taints } : {}),
      ...(options.providerID ? { providerID: options.providerID } : {}),
    },
    status,
  } as Node & { metadata: NonNullable<Node['metadata']> };
}

/** The patch from one status to another; undefined when only heartbeats differ and none is due. */
export function nodeStatusPatch(before: NodeStatus | undefined, next: NodeStatus, heartbeat: boolean): object | undefined {
  const patch: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(next) as [keyof NodeStatus, unknown][]) {
    if (key === 'conditions') continue;
    if (JSON.stringify(sorted(before?.[key])) === JSON.stringify(sorted(value))) continue;
    if (key === 'addresses' && before?.addresses) patch[key] = [{ $patch: 'replace' }, ...(value as object[])];
    else if (key === 'allocatable')
      patch[key] = { ...Object.fromEntries(Object.keys(before?.allocatable ?? {}).map((name) => [name, null])), ...(value as object) };
    else patch[key] = value;
  }
  const bare = ({ lastHeartbeatTime: _h, ...c }: NodeCondition) => JSON.stringify(sorted(c));
  const conditions = (next.conditions ?? []).filter((c) => {
    const old = before?.conditions?.find((o) => o.type === c.type);
    return heartbeat || !old || bare(old) !== bare(c);
  });
  if (conditions.length > 0) patch['conditions'] = conditions;
  return Object.keys(patch).length > 0 ? patch : undefined;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  );
}

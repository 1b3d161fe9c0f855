import type {
  AllocationResult,
  DeviceClass,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PodSpec,
  PodExtendedResourceClaimStatus,
  ResourceClaim,
  ResourceSlice,
  StorageClass,
} from '@coxswain/api';
import { labelSelectorFromSet } from '@coxswain/apimachinery';
import { silentLogger, systemClock, type Random, type SchedulerPlugin } from '@coxswain/sdk';
import { SchedulerCache } from './cache/scheduler-cache.js';
import { type PluginSets, selectPlugins } from './config/plugin-sets.js';
import { scheduleCycle, type CycleResult } from './framework/cycle.js';
import { MapCycleState } from './framework/cycle-state.js';
import { fitErrorMessage } from './framework/fit-error.js';
import type { ClusterView, SchedulerHandle } from './framework/handle.js';
import { Profile } from './framework/profile.js';
import { defaultPlugins } from './plugins/default-plugins.js';
import { defaultPluginArgs, type PluginArgs } from './plugins/plugin-args.js';
import { CYCLE_FILTERS } from './preemption/default-preemption.js';

/** A cluster in memory for the tests of the pure parts: what they put in is what plugins see. */
export class TestCluster {
  readonly cache = new SchedulerCache();
  readonly claims: PersistentVolumeClaim[] = [];
  readonly volumes: PersistentVolume[] = [];
  readonly classes: StorageClass[] = [];
  readonly budgets: PodDisruptionBudget[] = [];
  readonly resourceClaims: ResourceClaim[] = [];
  /** What was written to claims, with the allocations that were decided on. */
  readonly reserved: { readonly claim: ResourceClaim; readonly allocation: AllocationResult | undefined }[] = [];
  readonly deallocated: string[] = [];
  readonly resourceSlices: ResourceSlice[] = [];
  readonly deviceClasses: DeviceClass[] = [];
  readonly notedDevices: PodExtendedResourceClaimStatus[] = [];
  readonly evicted: string[] = [];
  readonly profile: Profile;
  spreadBy: Record<string, string> | undefined;
  startIndex = 0;

  /** `change`: what becomes of the default plugins. */
  constructor(
    args: PluginArgs = defaultPluginArgs,
    sets: PluginSets = {},
    change: (plugins: readonly SchedulerPlugin[]) => readonly SchedulerPlugin[] = (plugins) => plugins,
  ) {
    const view: ClusterView = {
      snapshot: () => this.cache.snapshot(),
      namespace: () => undefined,
      namespaces: () => [],
      claim: (ns, name) => this.claims.find((c) => c.metadata.namespace === ns && c.metadata.name === name),
      volume: (name) => this.volumes.find((v) => v.metadata.name === name),
      volumes: () => this.volumes,
      storageClass: (name) => this.classes.find((c) => c.metadata.name === name),
      csiNode: () => undefined,
      resourceClaim: (ns, name) => this.resourceClaims.find((c) => c.metadata.namespace === ns && c.metadata.name === name),
      resourceClaims: () => this.resourceClaims,
      resourceSlices: () => this.resourceSlices,
      deviceClass: (name) => this.deviceClasses.find((c) => c.metadata.name === name),
      deviceClasses: () => this.deviceClasses,
      disruptionBudgets: (ns) => this.budgets.filter((b) => b.metadata.namespace === ns),
      defaultSelector: () => (this.spreadBy ? labelSelectorFromSet(this.spreadBy) : undefined),
      nominatedPods: () => [],
      isLeavingByPreemption: () => false,
    };
    const nothing = async () => {};
    const handle: SchedulerHandle = {
      view,
      clock: systemClock,
      random: firstRandom,
      extenders: [],
      logger: silentLogger,
      actions: {
        bind: nothing,
        claims: {
          reserve: async (claim, by, allocation) => {
            this.reserved.push({ claim, allocation });
            const reservedFor = [{ resource: 'pods', name: by.metadata.name ?? '', uid: by.metadata.uid ?? '' }];
            return {
              ...claim,
              metadata: { ...claim.metadata, resourceVersion: '2' },
              status: { ...claim.status, ...(allocation && { allocation }), reservedFor },
            };
          },
          release: nothing,
          create: async (claim) => {
            const name = `${claim.metadata.generateName}${this.resourceClaims.length}`;
            const made = { ...claim, metadata: { ...claim.metadata, name, uid: `uid-${name}`, resourceVersion: '1' } };
            this.resourceClaims.push(made);
            return made;
          },
          remove: async ({ metadata }) => {
            this.resourceClaims.splice(
              this.resourceClaims.findIndex((each) => each.metadata.uid === metadata.uid),
              1,
            );
          },
          noteDevices: async (_pod, status) => void this.notedDevices.push(status),
          deallocate: async (claim) => void this.deallocated.push(claim.metadata.name ?? ''),
        },
        evict: async (victim) => void this.evicted.push(victim.metadata.name ?? ''),
        clearNomination: nothing,
        bindClaim: nothing,
        annotateSelectedNode: nothing,
        waitForBoundClaims: nothing,
      },
    };
    this.profile = new Profile('default-scheduler', selectPlugins(sets, change(defaultPlugins(handle, args)), []));
  }

  cycle(p: Pod, random: Random = firstRandom): CycleResult & { state: MapCycleState } {
    const state = new MapCycleState();
    const result = scheduleCycle({
      profile: this.profile,
      pod: p,
      state,
      snapshot: this.cache.snapshot(),
      nominatedPods: () => [],
      random,
      startIndex: this.startIndex,
      percentageOfNodesToScore: 0,
    });
    if (result.type !== 'error') this.startIndex = result.nextStart;
    return { ...result, state };
  }

  /** The node's name, or the message of the condition. */
  outcome(p: Pod): string {
    const r = this.cycle(p);
    return r.type === 'placed' ? r.node : r.type === 'unschedulable' ? fitErrorMessage(r.diagnosis) : `error: ${r.error.message}`;
  }

  /** As `outcome`, with preemption. */
  async preempt(p: Pod): Promise<{ message?: string | undefined; nominatedNode?: string | undefined }> {
    const r = this.cycle(p);
    if (r.type !== 'unschedulable') throw new Error(`expected no room, got ${r.type}`);
    r.state.write(CYCLE_FILTERS, r.filters);
    const plugin = this.profile.postFilter.find((each) => each.name === 'DefaultPreemption');
    return (await plugin?.postFilter(r.state, p, r.diagnosis.refused, new AbortController().signal)) ?? {};
  }

  place(p: Pod, nodeName: string): void {
    this.cache.setPod({ ...p, spec: { ...p.spec, nodeName } } as Pod);
  }
}

/** Always the first. */
export const firstRandom: Random = { next: () => 0.5, int: (n) => n - 1, uuid: () => 'u', bytes: (n) => new Uint8Array(n) };

export function node(
  name: string,
  extra: {
    labels?: Record<string, string>;
    spec?: Node['spec'];
    allocatable?: Record<string, string>;
    images?: { names: string[]; sizeBytes: number }[];
    declaredFeatures?: string[];
  } = {},
): Node {
  const allocatable = { cpu: '4', memory: '8Gi', pods: '110', ...extra.allocatable };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...extra.labels } },
    spec: extra.spec ?? {},
    status: { allocatable, images: extra.images ?? [], ...(extra.declaredFeatures && { declaredFeatures: extra.declaredFeatures }) },
  } as Node;
}

export function pod(name: string, spec: Partial<PodSpec> & { requests?: Record<string, string> } = {}, labels: Record<string, string> = {}): Pod {
  const { requests, ...rest } = spec;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, labels },
    spec: { schedulerName: 'default-scheduler', containers: [{ name: 'c', image: 'app', resources: { requests: requests ?? {} } }], ...rest },
  } as Pod;
}

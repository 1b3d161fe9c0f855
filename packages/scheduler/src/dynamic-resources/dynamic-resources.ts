import type { AllocationResult, Node, Pod, ResourceClaim } from '@coxswain/api';
import { canBeReserved, classOfResource, formatTime, isReservedFor, semanticEqual } from '@coxswain/apimachinery';
import { skip, success, type ClusterEvent, type CycleState, type NodeInfo, type SchedulerPlugin, type SchedulingStatus } from '@coxswain/sdk';
import type { SchedulerHandle } from '../framework/handle.js';
import { unresolvable, unschedulable } from '../framework/status.js';
import { compileNodeSelector, type NodeMatcher } from '../plugins/node-selector.js';
import { defaultPluginArgs, type PluginArgs } from '../plugins/plugin-args.js';
import { Allocator, NodeProblem } from './allocator.js';
import { bindingState } from './binding-conditions.js';
import { ClaimTracker } from './claim-tracker.js';
import { claimsOfPod } from './claims-of-pod.js';
import { asksForDevices, claimLeftOver, devicesForResources, type DevicesForResources, resourcesAsDevices, unwrittenClaim } from './extended-resources.js';
import { Pools } from './pools.js';
import { claimName, wantedClaim } from './wanted.js';

const STATE = Symbol('DynamicResources');
const NOT_HERE = unresolvable('resourceclaim not available on the node');
const NOTHING_LEFT = unresolvable('cannot allocate all claims');
const IN_USE = unresolvable('resourceclaim in use');
const LEFT_OVER = unschedulable('cannot schedule extended resource claim');
const BINDING_POLL_MS = 500;
/** For how long a claim that was just written is waited for until the informer has it. */
const SEEN_WITHIN_MS = 120_000;
const SEEN_POLL_MS = 20;
const TIMED_OUT = unresolvable('timed out trying to allocate devices');

/** The search took longer than `filterTimeout`. */
class SearchTimeout extends Error {}

interface ClaimState {
  claim: ResourceClaim;
  /** Where an allocated claim can be used; undefined: everywhere. */
  readonly reaches: NodeMatcher | undefined;
  /** Decided in reserve, written in preBind. */
  allocation?: AllocationResult;
}

/** For the claims that are open, and then for the one of extended resources. */
interface NodeAllocations {
  readonly allocations: readonly AllocationResult[];
  readonly extended: DevicesForResources | undefined;
}

/** Extended resources that devices may stand for. */
interface ExtendedState {
  readonly unwritten: ResourceClaim;
  /** Of an earlier attempt: it is to go first. */
  readonly leftOver: ResourceClaim | undefined;
  /** By the resources that a node has nothing but devices for. */
  readonly searches: Map<string, { readonly devices: DevicesForResources; readonly allocator: Allocator | undefined }>;
  chosen?: { readonly devices: DevicesForResources; readonly allocation: AllocationResult };
  written?: ResourceClaim;
}

interface PodState {
  readonly claims: readonly ClaimState[];
  /** Those of `claims` that have to be allocated, in the allocator's order. */
  readonly open: readonly ClaimState[];
  readonly allocator: Allocator | undefined;
  readonly byNode: Map<string, NodeAllocations>;
  readonly extended: ExtendedState | undefined;
  /** Allocated where some node cannot reach. */
  readonly outOfReach: Set<ClaimState>;
}

/** A class that a request names is missing. */
class NoSuchClass extends Error {}

/** Gives pods the devices that their ResourceClaims ask for (dynamic resource allocation with structured parameters). Nothing for pods without claims. */
export function dynamicResources(
  { view, actions, clock, random, logger }: SchedulerHandle,
  { filterTimeoutMs, bindingTimeoutMs }: PluginArgs['DynamicResources'] = defaultPluginArgs.DynamicResources,
): SchedulerPlugin {
  const tracker = new ClaimTracker(view);
  const classOf = (name: string) => classOfResource(name, view.deviceClasses());
  const none = (pod: Pod) => !pod.spec?.resourceClaims?.length && !asksForDevices(pod, classOf);
  const stateOf = (state: CycleState) => state.read<PodState>(STATE);

  const wanted = (claim: ResourceClaim) =>
    wantedClaim(claim, (name, request) => {
      const found = view.deviceClass(name);
      if (!found) throw new NoSuchClass(`request ${request}: device class ${name} does not exist`);
      return found;
    });

  const allocatorFor = (open: readonly ResourceClaim[]): Allocator | undefined => {
    if (open.length === 0) return undefined;
    let deadline = Number.POSITIVE_INFINITY;
    const checkTime = () => {
      if (clock.monotonic() > deadline) throw new SearchTimeout();
    };
    const allocator = new Allocator({
      claims: open.map(wanted),
      pools: new Pools(view.resourceSlices()),
      allocated: tracker.allocatedDevices(),
      uuid: () => random.uuid(),
      checkTime,
    });
    if (filterTimeoutMs === 0) return allocator;
    const allocate = allocator.allocate.bind(allocator);
    allocator.allocate = (node: Node) => {
      deadline = clock.monotonic() + filterTimeoutMs;
      return allocate(node);
    };
    return allocator;
  };

  const extendedState = (pod: Pod): ExtendedState | undefined =>
    asksForDevices(pod, classOf)
      ? { unwritten: unwrittenClaim(pod, random.uuid()), leftOver: claimLeftOver(pod, view.resourceClaims()), searches: new Map() }
      : undefined;

  /** Who looks for devices on a node, and what they are for besides the pod's own claims. */
  const searchOn = (node: NodeInfo, pod: Pod, { extended, open, allocator }: PodState): { allocator: Allocator | undefined; devices?: DevicesForResources } => {
    const resources = extended ? resourcesAsDevices(pod, node, classOf) : [];
    if (!extended || resources.length === 0) return { allocator };
    const key = resources.join(' ');
    let search = extended.searches.get(key);
    if (!search) {
      const devices = devicesForResources(pod, extended.unwritten, resources, classOf);
      extended.searches.set(key, (search = { devices, allocator: allocatorFor([...open.map(({ claim }) => claim), devices.claim]) }));
    }
    return search;
  };

  /** Writes the claim that stands for the pod's extended resources, and that it does. */
  const writeExtended = async (extended: ExtendedState, pod: Pod, signal: AbortSignal): Promise<ClaimState | undefined> => {
    const { chosen, unwritten } = extended;
    if (!chosen) return undefined;
    const { name: _name, uid: _uid, ...metadata } = unwritten.metadata;
    extended.written = await actions.claims.create({ ...chosen.devices.claim, metadata }, signal);
    const claim = await actions.claims.reserve(extended.written, pod, stamped(chosen.allocation), signal);
    extended.written = claim;
    const { namespace = '', name = '' } = claim.metadata;
    // Until then only our promise keeps its devices from others.
    for (const began = clock.monotonic(); !tracker.get(namespace, name) && clock.monotonic() - began < SEEN_WITHIN_MS; )
      await clock.sleep(SEEN_POLL_MS, signal);
    tracker.settle(claim, claim);
    tracker.settle(unwritten);
    await actions.claims.noteDevices(pod, { requestMappings: [...chosen.devices.mappings], resourceClaimName: name }, signal);
    return { claim, reaches: undefined };
  };

  /** Says since when its drivers are waited for. */
  const stamped = (allocation: AllocationResult): AllocationResult =>
    allocation.devices?.results?.some((result) => result.bindingConditions?.length)
      ? { ...allocation, allocationTimestamp: formatTime(clock.now()) }
      : allocation;

  /** Waits until drivers have made the devices of a claim ready; when they say that they cannot, or say nothing, the devices are given back. */
  const madeReady = async (of: ClaimState, pod: Pod, signal: AbortSignal): Promise<SchedulingStatus | undefined> => {
    const { namespace = '', name = '' } = of.claim.metadata;
    const began = Date.parse(of.claim.status?.allocation?.allocationTimestamp ?? '') || clock.now();
    for (;;) {
      const claim = tracker.get(namespace, name) ?? of.claim;
      const ready = bindingState(claim);
      if (ready.type === 'ready') return undefined;
      const late = clock.now() - began >= bindingTimeoutMs;
      if (ready.type === 'waiting' && !late) {
        await clock.sleep(BINDING_POLL_MS, signal);
        continue;
      }
      // Others that use it are not ours to stop.
      if (claim.status?.reservedFor?.every(({ uid }) => uid === pod.metadata.uid)) {
        await actions.claims.deallocate(claim, signal);
        of.claim = { ...claim, status: {} };
      }
      const why =
        ready.type === 'failed' ? `binding failure condition ${ready.condition} is true` : `timed out waiting for binding condition ${ready.condition}`;
      return { code: 'unschedulable', reason: `resourceclaim ${claimName(claim)}: ${why}` };
    }
  };

  return {
    name: 'DynamicResources',
    events: events(tracker),
    preEnqueue(pod) {
      if (!pod.spec?.resourceClaims?.length) return success;
      const claims = claimsOfPod(pod, tracker);
      return typeof claims === 'string' ? unresolvable(claims) : success;
    },
    preFilter(state, pod) {
      if (none(pod)) return { status: skip };
      const claims = claimsOfPod(pod, tracker);
      if (typeof claims === 'string') return { status: unresolvable(claims) };
      const extended = extendedState(pod);
      if (claims.length === 0 && !extended) return { status: skip };
      const all: ClaimState[] = [];
      for (const claim of claims) {
        const { allocation } = claim.status ?? {};
        if (allocation && !canBeReserved(claim) && !isReservedFor(pod, claim)) return { status: IN_USE };
        if (!allocation && tracker.isPending(claim)) return { status: unresolvable(`resource claim ${claimName(claim)} is in the process of being allocated`) };
        all.push({ claim, reaches: allocation?.nodeSelector && compileNodeSelector(allocation.nodeSelector) });
      }
      const open = all.filter(({ claim }) => !claim.status?.allocation);
      try {
        const podState: PodState = {
          claims: all,
          open,
          allocator: allocatorFor(open.map(({ claim }) => claim)),
          byNode: new Map(),
          extended,
          outOfReach: new Set(),
        };
        state.write(STATE, podState);
        return { status: success };
      } catch (error) {
        if (error instanceof NoSuchClass) return { status: unresolvable(error.message) };
        return { status: { code: 'error', error: error as Error } };
      }
    },
    filter(state, pod, info) {
      const { node } = info;
      const s = stateOf(state);
      if (!s) return success;
      if (s.extended?.leftOver) return LEFT_OVER;
      const before = s.outOfReach.size;
      let reachable = true;
      for (const each of s.claims) {
        if (!each.reaches || each.reaches(node)) continue;
        reachable = false;
        s.outOfReach.add(each);
      }
      if (!reachable || s.outOfReach.size > before) return NOT_HERE;
      try {
        const { allocator, devices } = searchOn(info, pod, s);
        if (!allocator) return success;
        const allocations = allocator.allocate(node);
        if (!allocations) return NOTHING_LEFT;
        s.byNode.set(node.metadata.name ?? '', { allocations, extended: devices });
        return success;
      } catch (error) {
        if (error instanceof NodeProblem || error instanceof NoSuchClass) return unresolvable(error.message);
        if (error instanceof SearchTimeout) return TIMED_OUT;
        return { code: 'error', error: error as Error };
      }
    },
    async postFilter(state, pod, _refused, signal) {
      if (none(pod)) return {};
      const s = stateOf(state);
      if (!s) return { message: 'no new claims to deallocate' };
      if (s.extended?.leftOver) {
        await actions.claims.remove(s.extended.leftOver, signal);
        return { message: 'deletion of ResourceClaim completed' };
      }
      for (const { claim } of s.outOfReach) {
        const reserved = claim.status?.reservedFor ?? [];
        if (reserved.length > 1 || (reserved.length === 1 && !isReservedFor(pod, claim))) continue;
        await actions.claims.deallocate(claim, signal);
        return { message: 'deallocation of ResourceClaim completed' };
      }
      return { message: 'still not schedulable' };
    },
    reserve(state, _pod, node) {
      const s = stateOf(state);
      const found = s?.byNode.get(node);
      if (!s || (s.open.length === 0 && !found)) return success;
      if (found?.allocations.length !== s.open.length + (found?.extended ? 1 : 0))
        return { code: 'error', error: new Error('claim allocation not found for node') };
      const { allocations, extended } = found;
      for (const [i, each] of s.open.entries()) {
        each.allocation = allocations[i] as AllocationResult;
        tracker.promise(each.claim, each.allocation);
      }
      if (s.extended && extended) {
        s.extended.chosen = { devices: extended, allocation: allocations.at(-1) as AllocationResult };
        tracker.promise(s.extended.unwritten, s.extended.chosen.allocation);
      }
      return success;
    },
    unreserve(state, pod) {
      const { extended } = stateOf(state) ?? {};
      if (extended?.chosen) tracker.settle(extended.unwritten);
      if (extended?.written) {
        const { written } = extended;
        actions.claims
          .remove(written, AbortSignal.timeout(10_000))
          .catch((error: unknown) => logger.warn('could not take back the claim of extended resources', { claim: claimName(written), err: error }));
      }
      for (const { claim, allocation } of stateOf(state)?.claims ?? []) {
        if (allocation) tracker.settle(claim);
        if (!claim.status?.allocation || !isReservedFor(pod, claim)) continue;
        actions.claims
          .release(claim, pod, AbortSignal.timeout(10_000))
          .catch((error: unknown) => logger.warn('could not take back the reservation of a claim', { claim: claimName(claim), err: error }));
      }
    },
    preBindPreFlight(state) {
      const { claims = [], extended } = stateOf(state) ?? {};
      return claims.length > 0 || extended ? success : skip;
    },
    async preBind(state, pod, _node, signal) {
      for (const each of stateOf(state)?.claims ?? []) {
        if (isReservedFor(pod, each.claim)) continue;
        try {
          const written = await actions.claims.reserve(each.claim, pod, each.allocation && stamped(each.allocation), signal);
          tracker.settle(each.claim, written);
          each.claim = written;
        } catch (error) {
          return { code: 'error', error: error as Error };
        }
      }
      const { claims = [], extended } = stateOf(state) ?? {};
      let special: ClaimState | undefined;
      try {
        special = extended && (await writeExtended(extended, pod, signal));
      } catch (error) {
        return { code: 'error', error: error as Error };
      }
      for (const each of special ? [...claims, special] : claims) {
        const refused = await madeReady(each, pod, signal);
        if (refused) return refused;
      }
      return success;
    },
  };
}

/** Changes that may help a pod that was refused here. */
function events(tracker: ClaimTracker): ClusterEvent[] {
  const claimHelps: ClusterEvent['helps'] = (pod, before, after) => {
    const claims = claimsOfPod(pod, tracker);
    if (typeof claims === 'string') return false;
    const [old, now] = [before, after] as (ResourceClaim | undefined)[];
    // Devices are free again, perhaps those the pod needs.
    if (old?.status?.allocation && !now?.status?.allocation) return true;
    if (!claims.some((c) => c.metadata.uid === now?.metadata.uid)) return false;
    return !old || !semanticEqual(old.status, now?.status);
  };
  return [
    { resource: 'ResourceClaim', action: 'add', helps: claimHelps },
    { resource: 'ResourceClaim', action: 'update', helps: claimHelps },
    { resource: 'ResourceClaim', action: 'delete', helps: claimHelps },
    { resource: 'DeviceClass', action: 'add' },
    { resource: 'DeviceClass', action: 'update' },
    { resource: 'ResourceSlice', action: 'add' },
    { resource: 'ResourceSlice', action: 'update' },
    { resource: 'Node', action: 'add' },
    { resource: 'Node', action: 'update' },
  ];
}

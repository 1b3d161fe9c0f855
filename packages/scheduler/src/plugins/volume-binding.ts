import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '@coxswain/api';
import { claimsOfVolumes, labelSelectorFromObject } from '@coxswain/apimachinery';
import { skip, success, type SchedulerPlugin } from '@coxswain/sdk';
import type { SchedulerHandle } from '../framework/handle.js';
import { unitsOf } from '../framework/quantity.js';
import { unresolvable, type Refusal } from '../framework/status.js';
import { compileNodeSelector } from './node-selector.js';
import { defaultPluginArgs, type PluginArgs } from './plugin-args.js';
import { isBound, storageClassOf, waitsForConsumer } from './volumes.js';

const UNBOUND = unresolvable('pod has unbound immediate PersistentVolumeClaims');
const CONFLICT = unresolvable("node(s) didn't match PersistentVolume's node affinity");
const NO_VOLUME = unresolvable("node(s) didn't find available persistent volumes to bind");
const NO_PROVISIONER = 'kubernetes.io/no-provisioner';
const STATE = Symbol('VolumeBinding');

interface Plan {
  readonly bind: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[];
  readonly provision: readonly PersistentVolumeClaim[];
}

class VolumeState {
  readonly plans = new Map<string, Plan>();
  constructor(
    readonly bound: readonly PersistentVolume[],
    readonly waiting: readonly PersistentVolumeClaim[],
  ) {}
}

const reaches = (pv: PersistentVolume, node: Node): boolean => {
  const required = pv.spec?.nodeAffinity?.required;
  return !required || compileNodeSelector(required)(node);
};

/** The smallest free volume that satisfies the claim on this node. */
function findVolume(claim: PersistentVolumeClaim, node: Node, volumes: Iterable<PersistentVolume>, taken: ReadonlySet<string>): PersistentVolume | undefined {
  const wanted = unitsOf(claim.spec?.resources?.requests?.storage ?? '0');
  const modes = claim.spec?.accessModes ?? [];
  const selector = claim.spec?.selector ? labelSelectorFromObject(claim.spec.selector) : undefined;
  let best: PersistentVolume | undefined;
  let bestSize = Number.POSITIVE_INFINITY;
  for (const pv of volumes) {
    const ref = pv.spec?.claimRef;
    const reserved = ref?.namespace === claim.metadata.namespace && ref?.name === claim.metadata.name && (!ref?.uid || ref.uid === claim.metadata.uid);
    if ((ref && !reserved) || taken.has(pv.metadata.name ?? '') || pv.metadata.deletionTimestamp) continue;
    if (!reserved && pv.status?.phase !== 'Available') continue;
    const size = unitsOf(pv.spec?.capacity?.storage ?? '0');
    if (size < wanted || size >= bestSize || (pv.spec?.storageClassName ?? '') !== storageClassOf(claim)) continue;
    if ((pv.spec?.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem')) continue;
    if (!modes.every((m) => pv.spec?.accessModes?.includes(m)) || (selector && !selector.matches(pv.metadata.labels)) || !reaches(pv, node)) continue;
    best = pv;
    bestSize = size;
  }
  return best;
}

const absent = new Map<string, Refusal>();
function missing(name: string): Refusal {
  let r = absent.get(name);
  if (!r) {
    if (absent.size > 1000) absent.clear();
    absent.set(name, (r = unresolvable(`persistentvolumeclaim "${name}" not found`)));
  }
  return r;
}

/**
 * Bound volumes must be reachable from the node; claims that wait for their first consumer get a volume the node reaches, or
 * are handed to their provisioner by the `selected-node` annotation once the pod is placed.
 */
export const volumeBinding = (
  { view, actions }: SchedulerHandle,
  { bindTimeoutSeconds }: PluginArgs['VolumeBinding'] = defaultPluginArgs.VolumeBinding,
): SchedulerPlugin => {
  /** Volumes promised to claims whose binding is under way: not to be promised again. */
  const promised = new Set<string>();

  const plan = (state: VolumeState, node: Node): Plan | undefined => {
    const bind: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = [];
    const provision: PersistentVolumeClaim[] = [];
    const taken = new Set(promised);
    for (const claim of state.waiting) {
      const selected = claim.metadata.annotations?.['volume.kubernetes.io/selected-node'];
      if (selected) {
        if (selected !== node.metadata.name) return undefined;
        provision.push(claim);
        continue;
      }
      const volume = findVolume(claim, node, view.volumes(), taken);
      if (volume) {
        taken.add(volume.metadata.name ?? '');
        bind.push({ claim, volume });
        continue;
      }
      const provisioner = view.storageClass(storageClassOf(claim))?.provisioner;
      if (!provisioner || provisioner === NO_PROVISIONER) return undefined;
      provision.push(claim);
    }
    return { bind, provision };
  };

  return {
    name: 'VolumeBinding',
    events: [
      { resource: 'PersistentVolumeClaim', action: 'add' },
      { resource: 'PersistentVolumeClaim', action: 'update' },
      { resource: 'PersistentVolume', action: 'add' },
      { resource: 'PersistentVolume', action: 'update' },
      { resource: 'StorageClass', action: 'add' },
      { resource: 'Node', action: 'add' },
      { resource: 'Node', action: 'update' },
    ],
    preFilter(state, pod) {
      const names = claimsOfVolumes(pod);
      if (names.length === 0) return { status: skip };
      const bound: PersistentVolume[] = [];
      const waiting: PersistentVolumeClaim[] = [];
      for (const name of names) {
        const claim = view.claim(pod.metadata.namespace ?? '', name);
        if (!claim) return { status: missing(name) };
        if (claim.metadata.deletionTimestamp) return { status: unresolvable(`persistentvolumeclaim "${name}" is being deleted`) };
        if (claim.status?.phase === 'Lost')
          return { status: unresolvable(`persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ''}"`) };
        if (isBound(claim)) {
          const pv = view.volume(claim.spec?.volumeName ?? '');
          if (!pv) return { status: unresolvable(`persistentvolume "${claim.spec?.volumeName ?? ''}" not found`) };
          bound.push(pv);
        } else if (waitsForConsumer(claim, view) && !claim.spec?.volumeName) waiting.push(claim);
        else return { status: UNBOUND };
      }
      state.write(STATE, new VolumeState(bound, waiting));
      return { status: success };
    },
    filter(state, _pod, { node }) {
      const s = state.read<VolumeState>(STATE);
      if (!s) return success;
      for (const pv of s.bound) if (!reaches(pv, node)) return CONFLICT;
      if (s.waiting.length === 0) return success;
      const p = plan(s, node);
      if (!p) return NO_VOLUME;
      s.plans.set(node.metadata.name ?? '', p);
      return success;
    },
    reserve(state, _pod, node) {
      for (const { volume } of state.read<VolumeState>(STATE)?.plans.get(node)?.bind ?? []) promised.add(volume.metadata.name ?? '');
      return success;
    },
    unreserve(state, _pod, node) {
      for (const { volume } of state.read<VolumeState>(STATE)?.plans.get(node)?.bind ?? []) promised.delete(volume.metadata.name ?? '');
    },
    preBindPreFlight: (state, _pod, node) =>
      state.read<VolumeState>(STATE)?.plans.get(node) && state.read<VolumeState>(STATE)?.waiting.length ? success : skip,
    async preBind(state, _pod: Pod, node, signal) {
      const s = state.read<VolumeState>(STATE);
      const p = s?.plans.get(node);
      if (!s || !p || s.waiting.length === 0) return success;
      try {
        for (const { claim, volume } of p.bind) await actions.bindClaim(claim, volume, signal);
        for (const claim of p.provision) await actions.annotateSelectedNode(claim, node, signal);
        await actions.waitForBoundClaims(s.waiting, bindTimeoutSeconds * 1000, signal);
        for (const { volume } of p.bind) promised.delete(volume.metadata.name ?? '');
        return success;
      } catch (error) {
        return { code: 'error', error: error as Error };
      }
    },
  };
};

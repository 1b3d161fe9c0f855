import type { Pod, ResourceClaim, ResourceSlice } from '@coxswain/api';
import { claimOfPod, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { TaintManager } from '../pods/taint-manager.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { claimEvictionTime, type DeviceTaints } from './claim-eviction-time.js';

const CLAIM_INDEX = 'device-taint-claim';
const POOL_INDEX = 'device-taint-pool';
const DEVICE_INDEX = 'device-taint-device';

/** Deletes pods that use devices with NoExecute taints which their claims do not tolerate, or no longer. Keys are of pods. */
export function deviceTaintEvictionController(context: ControllerContext): Controller {
  const { informers } = context;
  const pods = informers.informer(Resources.pods);
  const claims = informers.informer(Resources.resourceClaims);
  const slices = informers.informer(Resources.resourceSlices);
  pods.addIndex(CLAIM_INDEX, claimKeys);
  claims.addIndex(DEVICE_INDEX, (claim) => results(claim).map(({ driver, pool }) => `${driver}/${pool}`));
  slices.addIndex(POOL_INDEX, ({ spec }) => [`${spec.driver}/${spec.pool.name}`]);
  const manager = new TaintManager(context, {
    reason: 'DeviceTaintManagerEviction',
    cancelling: () => 'Cancelling deletion of Pod',
    marking: () => 'Marking for deletion',
    condition: { reason: 'DeletionByDeviceTaintManager', message: 'Device Taint manager: deleting due to NoExecute taint' },
  });
  const key = ({ metadata }: Pod | ResourceClaim) => `${metadata.namespace}/${metadata.name}`;

  /** Of the newest generation: an older slice says nothing any more. */
  const taintsOf: DeviceTaints = (driver, pool, device) => {
    const all = slices.lister.byIndex(POOL_INDEX, `${driver}/${pool}`);
    const generation = Math.max(0, ...all.map(({ spec }) => spec.pool.generation));
    const found = all.filter(({ spec }) => spec.pool.generation === generation).flatMap(({ spec }) => spec.devices ?? []);
    return found.find(({ name }) => name === device)?.taints ?? [];
  };
  const claimsOf = (pod: Pod): ResourceClaim[] =>
    claimKeys(pod).flatMap((at) => {
      const { namespace, name } = splitKey(at);
      const claim = claims.lister.get(name, namespace);
      return claim?.status?.reservedFor?.some(({ uid }) => uid === pod.metadata.uid) ? [claim] : [];
    });

  return {
    name: 'device-taint-eviction',
    concurrency: 8,
    watch(queue) {
      const ofClaim = (claim: ResourceClaim) => {
        for (const pod of pods.lister.byIndex(CLAIM_INDEX, key(claim))) queue.add(key(pod));
      };
      const ofSlice = ({ spec }: ResourceSlice) => {
        for (const claim of claims.lister.byIndex(DEVICE_INDEX, `${spec.driver}/${spec.pool.name}`)) ofClaim(claim);
      };
      const add = (pod: Pod) => pod.spec?.resourceClaims?.length && queue.add(key(pod));
      const undo = [
        pods.addHandler({
          add,
          update: (old, pod) => (old.spec?.nodeName !== pod.spec?.nodeName || !semanticEqual(claimKeys(old), claimKeys(pod))) && add(pod),
          delete: (pod) => manager.forget(key(pod)),
        }),
        claims.addHandler({ add: ofClaim, update: (old, claim) => !semanticEqual(old.status, claim.status) && ofClaim(claim) }),
        slices.addHandler({ add: ofSlice, update: (old, slice) => !semanticEqual(old.spec, slice.spec) && ofSlice(slice), delete: ofSlice }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal) {
      const { namespace, name } = splitKey(at);
      const pod = pods.lister.get(name, namespace);
      const ended = pod?.status?.phase === 'Succeeded' || pod?.status?.phase === 'Failed';
      if (!pod?.spec?.nodeName || pod.metadata.deletionTimestamp || ended) return void manager.forget(at);
      const evictionTime = (since: number) => {
        const times = claimsOf(pod).flatMap((claim) => claimEvictionTime(claim, taintsOf, since) ?? []);
        return times.length === 0 ? 'never' : Math.min(...times);
      };
      return manager.reconcile(at, pod, evictionTime, signal);
    },
  };
}

const results = ({ status }: ResourceClaim) => status?.allocation?.devices?.results ?? [];

/** The claims of a pod as `namespace/name`. */
function claimKeys(pod: Pod): string[] {
  return (pod.spec?.resourceClaims ?? []).flatMap((podClaim) => {
    const of = claimOfPod(pod, podClaim);
    return of.type === 'named' ? [`${pod.metadata.namespace}/${of.name}`] : [];
  });
}

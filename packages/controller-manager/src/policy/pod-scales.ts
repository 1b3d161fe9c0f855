import type { KubeObject, OwnerReference, Pod, Scale } from '@coxswain/api';
import { isNotFound } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import type { ControllerContext } from '../runtime/controller-context.js';
import { resourceId } from '../runtime/discovery.js';
import { controllerOf, groupOf } from '../runtime/owners.js';
import { ServedKinds } from '../runtime/served-kinds.js';

/** What the controllers of pods want in all. */
export interface Scales {
  readonly replicas: number;
  /** Names of the pods that have no controller: they count for nothing. */
  readonly unmanaged: readonly string[];
}

interface ScaleOf {
  readonly uid: string;
  readonly replicas: number;
}
type Scalable = KubeObject & { spec?: { replicas?: number } };

/**
 * How many pods the controllers of given pods want: each controller once, a ReplicaSet's Deployment instead of it. Kinds that are not built in
 * are asked by their scale subresource.
 */
export function podScales({ client, informers }: ControllerContext) {
  const owners = {
    'apps/ReplicaSet': informers.informer(Resources.replicaSets),
    'apps/StatefulSet': informers.informer(Resources.statefulSets),
    '/ReplicationController': informers.informer(Resources.replicationControllers),
  } as const;
  const deployments = informers.informer(Resources.deployments);
  const kinds = new ServedKinds(client);

  /** Undefined: the controller is not there. Throws when its kind cannot be scaled. */
  async function scaleOf(ref: OwnerReference, namespace: string | undefined, signal: AbortSignal): Promise<ScaleOf | undefined> {
    const group = groupOf(ref.apiVersion);
    const id = `${group}/${ref.kind}`;
    if (!(id in owners)) return byScale(group, ref, namespace, signal);
    const owner = owners[id as keyof typeof owners].lister.get(ref.name, namespace) as Scalable | undefined;
    if (owner?.metadata.uid !== ref.uid) return undefined;
    const above = controllerOf(owner as Pod);
    if (above?.kind !== 'Deployment') return { uid: ref.uid, replicas: owner.spec?.replicas ?? 1 };
    const deployment = deployments.lister.get(above.name, namespace);
    return deployment?.metadata.uid === above.uid ? { uid: above.uid, replicas: deployment.spec?.replicas ?? 1 } : undefined;
  }

  async function byScale(group: string, ref: OwnerReference, namespace: string | undefined, signal: AbortSignal): Promise<ScaleOf | undefined> {
    const found = await kinds.find(group, ref.kind, signal);
    if (!found) throw new Error(`no matches for kind ${JSON.stringify(ref.kind)} in version ${JSON.stringify(ref.apiVersion)}`);
    const { resource, scalable } = found;
    if (!scalable) {
      kinds.forget();
      throw new Error(`${resourceId(resource)} does not implement the scale subresource`);
    }
    try {
      const scale = (await client.resource<KubeObject>(resource, namespace).subresource(ref.name, 'scale').get({ signal })) as Scale;
      return scale.metadata?.uid === ref.uid ? { uid: ref.uid, replicas: scale.spec?.replicas ?? 0 } : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  return {
    /** Rejects when the controller of one of the pods is not to be found, or cannot be asked. */
    async ofPods(pods: readonly Pod[], signal: AbortSignal): Promise<Scales> {
      const known = new Map<string, ScaleOf>();
      const unmanaged: string[] = [];
      for (const pod of pods) {
        const ref = controllerOf(pod);
        if (!ref) {
          unmanaged.push(pod.metadata.name ?? '');
          continue;
        }
        if (known.has(ref.uid)) continue;
        const scale = await scaleOf(ref, pod.metadata.namespace, signal);
        if (!scale) throw new Error(`found no controllers for pod ${JSON.stringify(pod.metadata.name)}`);
        known.set(ref.uid, scale);
      }
      // Several ReplicaSets of one Deployment want together what it wants.
      const replicas = new Map([...known.values()].map(({ uid, replicas }) => [uid, replicas]));
      return { replicas: [...replicas.values()].reduce((a, b) => a + b, 0), unmanaged };
    },
  };
}

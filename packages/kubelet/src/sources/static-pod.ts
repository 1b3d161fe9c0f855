import { createHash } from 'node:crypto';
import type { Pod } from '@coxswain/api';
import type { Clock } from '@coxswain/sdk';
import { Keys } from '../pod/keys.js';
import { apiTime } from '../pod/time.js';

/** Makes the pod of a manifest. Throws when it is none. */
export type MakeStaticPod = (manifest: Pod, place: string) => Pod;

/** Pods of manifests from one kind of place: named after the node, with a uid that follows from what they say, and staying whatever the taints. */
export function staticPodMaker(nodeName: string, source: 'file' | 'http', clock: Clock): MakeStaticPod {
  const firstSeen = new Map<string, string>();
  return (manifest, place) => {
    if (manifest?.kind !== 'Pod' || !manifest.metadata?.name || !manifest.spec?.containers?.length) throw new Error('not a v1 Pod with a name and containers');
    const hash = createHash('md5')
      .update(`${nodeName}\0${place}\0${JSON.stringify(manifest)}`)
      .digest('hex');
    const uid = manifest.metadata.uid || hash;
    const seen = firstSeen.get(uid) ?? apiTime(clock.now());
    firstSeen.set(uid, seen);
    return {
      ...manifest,
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...manifest.metadata,
        uid,
        name: `${manifest.metadata.name}-${nodeName}`,
        namespace: manifest.metadata.namespace || 'default',
        annotations: { ...manifest.metadata.annotations, [Keys.configHash]: hash, [Keys.configSource]: source, [Keys.configSeen]: seen },
      },
      spec: {
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        dnsPolicy: 'ClusterFirst',
        ...manifest.spec,
        nodeName,
        tolerations: [...(manifest.spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
      },
      status: { phase: 'Pending' },
    };
  };
}

import type { Pod } from '@coxswain/api';
import { isNotFound } from '@coxswain/apimachinery';
import { InformerFactory, type KubeClient, Resources } from '@coxswain/client';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';

/** A node that is ready, with room. */
export async function addNode(client: KubeClient, name: string): Promise<void> {
  const resources = { cpu: '8', memory: '16Gi', pods: '110' };
  const time = '2026-01-01T00:00:00Z';
  await client.api.nodes().create({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name } } });
  await client.api.nodes().patch(
    name,
    'merge',
    {
      status: {
        allocatable: resources,
        capacity: resources,
        conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: '', lastHeartbeatTime: time, lastTransitionTime: time }],
      },
    },
    { subresource: 'status' },
  );
}

/** Bound pods run and are ready at once, those of jobs succeed, deleted ones go. */
export function playKubelet(client: KubeClient): () => Promise<void> {
  const informers = new InformerFactory({ clock: systemClock, random: systemRandom, logger: silentLogger, client });
  let last = 1;
  const act = async (pod: Pod) => {
    const api = client.api.pods(pod.metadata.namespace);
    const name = pod.metadata.name ?? '';
    try {
      if (pod.metadata.deletionTimestamp) await api.delete(name, { gracePeriodSeconds: 0 });
      else if (pod.spec?.nodeName && pod.status?.phase === 'Pending') {
        const done = pod.spec.restartPolicy === 'Never';
        const ip = `10.244.9.${last++}`;
        const conditions = [{ type: 'Ready', status: done ? 'False' : 'True', lastTransitionTime: new Date().toISOString() }];
        await api.patch(
          name,
          'merge',
          { status: { phase: done ? 'Succeeded' : 'Running', podIP: ip, podIPs: [{ ip }], conditions } },
          { subresource: 'status' },
        );
      }
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  informers.informer(Resources.pods).addHandler({ add: (p) => void act(p), update: (_o, p) => void act(p) });
  informers.start();
  return () => informers.stop();
}

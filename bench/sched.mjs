import { load } from './lib/measure.mjs';
import { figure } from './lib/table.mjs';

const NODES = 1000;
const PODS = 3000;
const GIVE_UP_MS = 180_000;

/** Scheduler throughput from outside: nodes that are objects only, pods created 32 at a time, from the first creation to the last binding. */
export async function benchScheduler(api) {
  const namespace = `bench-sched-${process.pid}`;
  await api.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  await api.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } }, { expect: [201, 409] });
  const capacity = { cpu: '32', memory: '256Gi', pods: '110', 'ephemeral-storage': '100Gi' };
  const nodeName = (i) => `bench-${process.pid}-${i}`;
  await load(NODES, 32, async (i) => {
    const name = nodeName(i);
    const lastHeartbeatTime = new Date().toISOString().replace(/\.\d+/, '');
    const ready = { type: 'Ready', status: 'True', reason: 'Bench', message: 'bench', lastHeartbeatTime, lastTransitionTime: lastHeartbeatTime };
    const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `z${i % 3}` };
    await api.send('POST', '/api/v1/nodes', { metadata: { name, labels }, status: { capacity, allocatable: capacity, conditions: [ready] } });
    await api.send('PATCH', `/api/v1/nodes/${name}`, { spec: { taints: null } }, { contentType: 'application/merge-patch+json' });
  });
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const list = await api.json('GET', `${pods}?limit=1`);
  const bound = new Set();
  let last = 0;
  const stop = await api.watch(`${pods}?watch=1&resourceVersion=${list.metadata.resourceVersion}`, (line) => {
    const { object } = JSON.parse(line.toString());
    if (!object.spec?.nodeName || bound.has(object.metadata.name)) return;
    bound.add(object.metadata.name);
    last = performance.now();
  });
  const begun = performance.now();
  const containers = [{ name: 'c', image: 'busybox', resources: { requests: { cpu: '100m', memory: '64Mi' } } }];
  await load(PODS, 32, (i) =>
    api.send('POST', pods, { metadata: { name: `p${i}`, labels: { app: `a${i % 20}` } }, spec: { automountServiceAccountToken: false, containers } }),
  );
  while (bound.size < PODS && performance.now() - begun < GIVE_UP_MS) await new Promise((resolve) => setTimeout(resolve, 20));
  stop();
  const rate = bound.size / ((last - begun) / 1000);
  figure(`scheduler, ${NODES} nodes, ${bound.size} of ${PODS} pods bound`, `${rate.toFixed(0)} pods/s`, '400–450 pods/s');
  await load(NODES, 32, (i) => api.send('DELETE', `/api/v1/nodes/${nodeName(i)}`));
  await api.send('DELETE', `/api/v1/namespaces/${namespace}`);
}

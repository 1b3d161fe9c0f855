// One process: a control plane, NODES hollow nodes, PODS pods. Prints its figures as one line of JSON.
import { startTestCluster } from '../packages/testing/src/index.js';

const [nodes = 1000, pods = 10_000] = process.argv.slice(2).map(Number);
const PER_DEPLOYMENT = 500;

let maxRss = 0;
const watch = setInterval(() => {
  maxRss = Math.max(maxRss, process.memoryUsage.rss());
}, 250);
const began = performance.now();
const cluster = await startTestCluster({ nodes, realTime: true });
const nodesReady = performance.now();
let running = 0;
const done = new Promise<void>((resolve) => {
  const seen = new Set<string>();
  void (async () => {
    for await (const batch of cluster.client.api.pods().watchBatches({ resourceVersion: '0' })) {
      for (const { object } of batch) {
        const { uid = '' } = object.metadata;
        if (object.status?.phase !== 'Running' || seen.has(uid)) continue;
        seen.add(uid);
        running++;
      }
      if (running >= pods) return resolve();
    }
  })();
});
const cpu = process.cpuUsage();
const created = performance.now();
await Promise.all(
  Array.from({ length: Math.ceil(pods / PER_DEPLOYMENT) }, (_, i) => {
    const labels = { app: `web-${i}` };
    const containers = [{ name: 'web', image: 'web:1', resources: { requests: { cpu: '100m', memory: '64Mi' } } }];
    const spec = { replicas: Math.min(PER_DEPLOYMENT, pods - i * PER_DEPLOYMENT), selector: { matchLabels: labels } };
    return cluster.client.api.deployments('default').create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: `web-${i}` },
      spec: { ...spec, template: { metadata: { labels }, spec: { automountServiceAccountToken: false, containers } } },
    });
  }),
);
await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 300_000))]);
const used = process.cpuUsage(cpu);
clearInterval(watch);
console.log(
  JSON.stringify({
    nodes,
    pods: running,
    nodesReadySeconds: (nodesReady - began) / 1000,
    podsRunningSeconds: (performance.now() - created) / 1000,
    cpuSeconds: (used.user + used.system) / 1e6,
    rssMiB: Math.max(maxRss, process.memoryUsage.rss()) / 2 ** 20,
  }),
);
process.exit(0);

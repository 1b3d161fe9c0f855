// One process: how long `startTestCluster` takes, the first time and then. Prints its figures as one line of JSON.
import { startTestCluster } from '../packages/testing/src/index.js';

const starts: { readonly ms: number; readonly cpuMs: number }[] = [];
for (let i = 0; i < 4; i++) {
  const cpu = process.cpuUsage();
  const at = performance.now();
  const cluster = await startTestCluster();
  const used = process.cpuUsage(cpu);
  starts.push({ ms: performance.now() - at, cpuMs: (used.user + used.system) / 1000 });
  await cluster.stop();
}
console.log(JSON.stringify(starts));
process.exit(0);

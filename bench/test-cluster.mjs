import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { percentiles } from './lib/measure.mjs';
import { figure } from './lib/table.mjs';

const PROCESSES = 5;

/** `startTestCluster` with its defaults, in processes of its own: the first cluster of a test file, and those after it. Needs neither root nor a cluster. */
export function benchTestCluster() {
  const script = fileURLToPath(new URL('./test-cluster-start.ts', import.meta.url));
  const runs = Array.from({ length: PROCESSES }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=coxswain-source', '--import', 'tsx', script], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${script}: ${stderr}`);
    return JSON.parse(stdout);
  });
  const show = (starts) =>
    `${percentiles(starts.map(({ ms }) => ms)).p50.toFixed(0)} ms (${percentiles(starts.map(({ cpuMs }) => cpuMs)).p50.toFixed(0)} ms of CPU)`;
  figure('test cluster, first of a process', show(runs.map(({ starts }) => starts[0])));
  figure('test cluster, those after it', show(runs.flatMap(({ starts }) => starts.slice(1))));
}

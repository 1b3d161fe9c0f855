import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bundled } from './lib/bundled.mjs';
import { percentiles } from './lib/measure.mjs';
import { figure } from './lib/table.mjs';

const PROCESSES = 5;

/** `startTestCluster` with its defaults, in processes of its own: the first cluster of a test file, and those after it. Needs neither root nor a cluster. */
export async function benchTestCluster() {
  const script = await bundled(fileURLToPath(new URL('./test-cluster-start.ts', import.meta.url)));
  try {
    const runs = Array.from({ length: PROCESSES }, () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [script.path], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${script.path}: ${stderr}`);
      return JSON.parse(stdout);
    });
    const median = (values) => percentiles(values).p50.toFixed(0);
    const show = (starts) => `${median(starts.map(({ ms }) => ms))} ms (${median(starts.map(({ cpuMs }) => cpuMs))} ms of CPU)`;
    figure('test cluster, first of a process', show(runs.map(([first]) => first)));
    figure('test cluster, those after it', show(runs.flatMap(([, ...others]) => others)));
  } finally {
    script.remove();
  }
}

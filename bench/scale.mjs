import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { bundled } from './lib/bundled.mjs';
import { figure } from './lib/table.mjs';

const NODES = 1000;
const PODS = 10_000;

/** A control plane and hollow nodes in one process of their own; needs neither root nor a cluster. */
export async function benchScale() {
  const script = await bundled(fileURLToPath(new URL('./scale-cluster.ts', import.meta.url)));
  // As packages/testing/README.md says for so many pods.
  const child = spawn(process.execPath, ['--max-semi-space-size=64', script.path, String(NODES), String(PODS)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const found = JSON.parse(await text(child.stdout).finally(() => script.remove()));
  const what = `${NODES} simulated nodes`;
  figure(`${what}, all Ready`, `${found.nodesReadySeconds.toFixed(1)} s`);
  figure(`${what}, ${found.pods} of ${PODS} pods Running`, `${found.podsRunningSeconds.toFixed(1)} s (${found.cpuSeconds.toFixed(0)} s of CPU)`);
  figure(`${what}, memory at most`, `${found.rssMiB.toFixed(0)} MiB, all in one process`);
}

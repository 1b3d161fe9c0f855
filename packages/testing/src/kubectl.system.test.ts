import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startTestCluster } from './index.js';

const run = promisify(execFile);
const KUBECTL = fileURLToPath(new URL('../../../.cache/bin/kubectl', import.meta.url));

it('serves kubectl, with nothing but its kubeconfig', async () => {
  await using cluster = await startTestCluster({ nodes: 2 });
  const kubectl = async (...args: string[]) => (await run(KUBECTL, ['--kubeconfig', cluster.kubeconfigPath, ...args])).stdout;
  expect(await kubectl('get', 'nodes', '--no-headers')).toMatch(/^node-1 +Ready +<none> +\S+ +v1\.36\.0\nnode-2 +Ready/);
  await kubectl('run', 'web', '--image=web:1', '--annotations=sim.coxswain.dev/containers={logs: [hello], exec: [{command: whoami, stdout: "root\\n"}]}');
  await cluster.eventually(async () => (await cluster.client.api.pods('default').get('web')).status?.phase === 'Running');
  expect(await kubectl('logs', 'web')).toBe('hello\n');
  expect(await kubectl('exec', 'web', '--', 'whoami')).toBe('root\n');
  expect(await kubectl('get', 'pod', 'web', '-o', 'jsonpath={.status.containerStatuses[0].ready}')).toBe('true');
});

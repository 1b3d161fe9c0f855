import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterFixture, eventually } from './cluster-fixture.js';
import { IMAGE } from './node-checks.js';

// Dynamic resource allocation from end to end: the example's driver, the scheduler, the kubelet, and CDI specifications applied by the runtime.
const example = fileURLToPath(new URL('../../examples/dra-driver/', import.meta.url));
const cdiFolder = '/var/run/cdi';
const cluster = new ClusterFixture('t-devices');
let driver: ChildProcess | undefined;
let said = '';
let node: string;
const made: string[] = [];

const startDriver = async () => {
  const { kubelet } = cluster.config.paths;
  const args = [
    '--conditions=coxswain-source',
    '--import',
    'tsx',
    join(example, 'src/main.ts'),
    '--node',
    node,
    '--kubelet-dir',
    kubelet,
    '--leds',
    'red,green',
  ];
  driver = spawn(process.execPath, args, { cwd: example, env: { ...process.env, ...cluster.env }, stdio: ['ignore', 'pipe', 'inherit'] });
  driver.stdout?.on('data', (part: Buffer) => (said += part.toString()));
  await eventually('the kubelet takes the driver', () => expect(said).toContain(`registered with the kubelet of ${node}`));
};

beforeAll(async () => {
  await cluster.up();
  await cluster.loadGuestbook();
  node = (await cluster.json<{ items: { metadata: { name: string } }[] }>('nodes')).items[0]?.metadata.name ?? '';
  await cluster.apply(readFileSync(join(example, 'leds.yaml'), 'utf8'));
  await startDriver();
});

afterAll(async () => {
  if (driver?.exitCode === null) {
    driver.kill();
    await once(driver, 'exit');
  }
  await cluster[Symbol.asyncDispose]();
  // Of a test that failed: the driver is gone, and nobody else knows whose they are.
  for (const file of made) rmSync(file, { force: true });
});

interface PodObject {
  readonly metadata: { readonly uid: string };
  readonly status: {
    readonly phase: string;
    readonly resourceClaimStatuses?: readonly { readonly resourceClaimName: string }[];
    readonly conditions?: readonly { readonly type: string; readonly message?: string }[];
  };
}
const pod = (name: string) => cluster.json<PodObject>('pod', name);
const make = (name: string, script: string) =>
  cluster.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: {
        terminationGracePeriodSeconds: 1,
        restartPolicy: 'Never',
        resourceClaims: [{ name: 'led', resourceClaimTemplateName: 'red-led' }],
        containers: [{ name: 'c', image: IMAGE, command: ['sh', '-c', script], resources: { claims: [{ name: 'led' }] } }],
      },
    }),
  );
const phase = (name: string, wanted: string) => eventually(`${name} ${wanted}`, async () => expect((await pod(name)).status.phase).toBe(wanted));
const specsOf = async (name: string) => {
  const claim = await eventually('its claim', async () => {
    const found = (await pod(name)).status.resourceClaimStatuses?.[0]?.resourceClaimName;
    expect(found).toBeDefined();
    return found as string;
  });
  const { metadata } = await cluster.json<{ metadata: { uid: string } }>('resourceclaim', claim);
  const file = join(cdiFolder, `leds.example.com-${metadata.uid}.json`);
  made.push(file);
  return { claim, file };
};

test('a pod gets its device with what CDI says of it; the next waits, survives a new driver and kubelet, and has it when the first has ended', async () => {
  await make(
    'first',
    'echo "led is $LED_RED"; [ -c /dev/led-red ] && echo there; echo x > /dev/led-red && echo written; trap "exit 0" TERM; sleep 1000 & wait',
  );
  const { claim, file } = await specsOf('first');
  await phase('first', 'Running');
  await eventually('it has said so', async () => expect(await cluster.kubectl('logs', 'first')).toBe('led is on\nthere\nwritten\n'));
  expect(existsSync(file)).toBe(true);
  await make('second', 'echo "led is $LED_RED"');
  await eventually('the second waits', async () => {
    const scheduled = (await pod('second')).status.conditions?.find((c) => c.type === 'PodScheduled');
    expect(scheduled?.message).toContain('cannot allocate all claims');
  });
  // What the first needs to be undone outlives both who prepared it and who had it prepared.
  driver?.kill('SIGKILL');
  said = '';
  await startDriver();
  process.kill(cluster.pid('node'), 'SIGKILL');
  await cluster.kubectl('delete', 'pod', 'first');
  await phase('second', 'Succeeded');
  expect(await cluster.kubectl('logs', 'second')).toBe('led is on\n');
  await eventually('the claims of both are gone', async () => {
    expect((await cluster.json<{ items: object[] }>('resourceclaims')).items).toEqual([]);
    expect(existsSync(file)).toBe(false);
  });
  expect(claim).toMatch(/^first-led-/);
});

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
  await eventually('the kubelet takes the driver', () =>
    expect(said).toMatch(new RegExp(`registered with the kubelet.*"node":"${node}"|"node":"${node}".*registered with the kubelet`)),
  );
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
const applyPod = (name: string, spec: object) =>
  cluster.apply(
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { terminationGracePeriodSeconds: 1, restartPolicy: 'Never', ...spec } }),
  );
const make = (name: string, script: string) =>
  applyPod(name, {
    resourceClaims: [{ name: 'led', resourceClaimTemplateName: 'red-led' }],
    containers: [{ name: 'c', image: IMAGE, command: ['sh', '-c', script], resources: { claims: [{ name: 'led' }] } }],
  });
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

test('an extended resource that a class stands for is a device of the driver, for the container that asks for it', async () => {
  const resource = 'example.com/led';
  await cluster.kubectl('patch', 'deviceclass', 'led', '--type=merge', '-p', JSON.stringify({ spec: { extendedResourceName: resource } }));
  const ask = (name: string, count: number, containers: readonly (readonly [name: string, script: string, asks: boolean])[]) =>
    applyPod(name, {
      containers: containers.map(([container, script, asks]) => ({
        name: container,
        image: IMAGE,
        command: ['sh', '-c', script],
        ...(asks && { resources: { limits: { [resource]: String(count) } } }),
      })),
    });
  const lights = 'env | grep ^LED_ | sort; ls /dev | grep led-; trap "exit 0" TERM; sleep 1000 & wait';
  await ask('both', 2, [
    ['with', lights, true],
    ['without', lights, false],
  ]);
  await phase('both', 'Running');
  await eventually('the container has both', async () =>
    expect(await cluster.kubectl('logs', 'both', '-c', 'with')).toBe('LED_GREEN=on\nLED_RED=on\nled-green\nled-red\n'),
  );
  expect(await cluster.kubectl('logs', 'both', '-c', 'without')).toBe('');
  const { status, metadata } = await cluster.json<ExtendedPod>('pod', 'both');
  const { resourceClaimName: name, requestMappings } = status.extendedResourceClaimStatus ?? { resourceClaimName: '', requestMappings: [] };
  expect(requestMappings).toEqual([{ containerName: 'with', resourceName: resource, requestName: 'container-0-request-0' }]);
  const claim = await cluster.json<{ status: { reservedFor: { uid: string }[]; allocation: { devices: { results: object[] } } } }>('resourceclaim', name);
  expect(claim.status.reservedFor).toMatchObject([{ uid: metadata.uid }]);
  expect(claim.status.allocation.devices.results).toHaveLength(2);

  await ask('one', 1, [['c', 'env | grep -c ^LED_', true]]);
  await eventually('another waits', async () =>
    expect((await pod('one')).status.conditions?.find((c) => c.type === 'PodScheduled')?.message).toContain('cannot allocate'),
  );
  await cluster.kubectl('delete', 'pod', 'both');
  await phase('one', 'Succeeded');
  expect(await cluster.kubectl('logs', 'one')).toBe('1\n');
  await eventually('nothing is left of the claims', async () => expect((await cluster.json<{ items: object[] }>('resourceclaims')).items).toEqual([]));
});

interface ExtendedPod {
  readonly metadata: { readonly uid: string };
  readonly status: {
    readonly extendedResourceClaimStatus?: {
      readonly resourceClaimName: string;
      readonly requestMappings: readonly { readonly containerName: string; readonly resourceName: string; readonly requestName: string }[];
    };
  };
}

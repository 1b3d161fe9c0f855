import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { simCriServer } from '@coxswain/cri-sim';
import { Cgroup, mounts, umountAll } from '@coxswain/linux';
import { type CriServer, systemClock, systemRandom } from '@coxswain/sdk';
import { freePort } from '@coxswain/sdk-testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { ControlPlane } from '../testing/control-plane.js';
import { KUBEADM } from './kubeadm.fixture.js';
const soon = { timeout: 60_000, interval: 50 };
const cgroupRoot = `/kubelet-program-${process.pid}`;
let plane: ControlPlane;
let cri: CriServer;
let program: ChildProcess | undefined;
let log = '';
let args: string[];
let healthz: string;

beforeAll(async () => {
  plane = await ControlPlane.start();
  await plane.approveNodes();
  const { folder } = plane;
  cri = simCriServer(`unix://${folder}/cri.sock`, { clock: systemClock, random: systemRandom, root: join(folder, 'sim'), podCIDR: '10.244.0.0/24' });
  await cri.start(AbortSignal.timeout(10_000));
  await writeFile(join(folder, 'ca.crt'), plane.ca.cert);
  await mkdir(join(folder, 'manifests'));
  const port = await freePort();
  healthz = `http://127.0.0.1:${port}/healthz`;
  const config = {
    ...KUBEADM,
    authentication: { ...KUBEADM.authentication, x509: { clientCAFile: 'ca.crt' } },
    staticPodPath: 'manifests',
    podLogsDir: join(folder, 'logs'),
    healthzPort: port,
    serverTLSBootstrap: true,
  };
  await writeFile(join(folder, 'config.yaml'), stringify(config));
  args = [
    `--bootstrap-kubeconfig=${plane.bootstrapKubeconfig}`,
    `--kubeconfig=${folder}/kubelet.conf`,
    `--config=${folder}/config.yaml`,
    `--container-runtime-endpoint=${cri.endpoint}`,
    '--pod-infra-container-image=registry.example/pause:3.10',
    '--node-ip=127.0.0.1',
    '--hostname-override=joined',
    // What this machine has of its own, and other kubelets on it.
    `--root-dir=${folder}/kubelet`,
    `--cgroup-root=${cgroupRoot}`,
    `--port=${await freePort()}`,
    '--fail-swap-on=false',
  ];
});

afterAll(async () => {
  if (program) await end('SIGKILL');
  await cri?.stop(AbortSignal.timeout(10_000));
  if (plane) for (const m of (await mounts()).filter((x) => x.mountPoint.startsWith(plane.folder)).reverse()) await umountAll(m.mountPoint);
  await plane?.stop();
  await (await Cgroup.at(cgroupRoot)).delete();
});

function start(): void {
  const bin = fileURLToPath(new URL('../bin.ts', import.meta.url));
  program = spawn(process.execPath, ['--conditions=coxswain-source', '--import', 'tsx', bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const out of [program.stdout, program.stderr]) out?.on('data', (chunk) => void (log += String(chunk)));
}

async function end(signal: NodeJS.Signals): Promise<number | null> {
  const ending = program as ChildProcess;
  program = undefined;
  if (ending.exitCode !== null || ending.signalCode !== null) return ending.exitCode;
  ending.kill(signal);
  const [code] = await once(ending, 'exit');
  return code as number | null;
}

async function ready(): Promise<void> {
  await vi.waitFor(async () => {
    if (program?.exitCode !== null) throw new Error(`the kubelet ended: ${log}`);
    const node = await plane.client.api.nodes().get('joined');
    expect(node.status?.conditions?.find((c) => c.type === 'Ready')?.status, log).toBe('True');
  }, soon);
}
const csrs = async (signer: string) => (await plane.requests()).filter((csr) => csr.spec.signerName === signer);

it("joins with kubeadm's command line and configuration, is killed, and goes on", async () => {
  const manifest = join(plane.folder, 'manifests', 'web.yaml');
  await writeFile(manifest, stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers: [{ name: 'web', image: 'web:1' }] } }));
  start();
  await ready();
  expect(await fetch(healthz).then((answer) => answer.text())).toBe('ok');
  const mirror = async () => (await plane.client.api.pods('default').get('web-joined')).status?.phase;
  await vi.waitFor(async () => expect(await mirror()).toBe('Running'), soon);
  expect(await csrs('kubernetes.io/kube-apiserver-client-kubelet')).toHaveLength(1);

  await end('SIGKILL');
  start();
  await vi.waitFor(async () => expect(await fetch(healthz).then((answer) => answer.text())).toBe('ok'), soon);
  await ready();
  expect(await csrs('kubernetes.io/kube-apiserver-client-kubelet')).toHaveLength(1);
  // Its serving certificate waits for a person, under one request still.
  const [serving, ...others] = await vi.waitFor(async () => {
    const found = await csrs('kubernetes.io/kubelet-serving');
    expect(found).not.toHaveLength(0);
    return found;
  }, soon);
  expect(others).toHaveLength(0);
  expect(serving?.spec.username).toBe('system:node:joined');
  await plane.decide(serving?.metadata.name ?? '', 'Approved');
  await vi.waitFor(async () => expect(await readdir(join(plane.folder, 'kubelet', 'pki'))).toContain('kubelet-server-current.pem'), soon);
  await rm(manifest);
  await vi.waitFor(async () => expect((await plane.client.api.pods('default').list()).items).toHaveLength(0), soon);
  // Upstream has one folder of links to logs, whatever it is told.
  const links = async () => (await readdir('/var/log/containers')).filter((name) => name.startsWith('web-joined_default_'));
  await vi.waitFor(async () => expect(await links()).toEqual([]), soon);
  expect(await end('SIGTERM')).toBe(0);
});

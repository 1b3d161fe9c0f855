import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from '@coxswain/command';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { KUBEADM } from './kubeadm.fixture.js';
import { kubeletCommand } from './kubelet-command.js';
import { kubeletConfig, type KubeletFlags, readSettings } from './run-kubelet.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'kubelet-config-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function parse(args: readonly string[]): Command {
  return kubeletCommand()
    .configureOutput({ writeErr: () => {} })
    .action(() => {})
    .parse(args, { from: 'user' });
}
const settings = (args: readonly string[]) => {
  const command = parse(args);
  return readSettings(command.opts() as KubeletFlags, command);
};
const file = (name: string, fields: object) => {
  const path = join(folder, name);
  writeFileSync(path, stringify({ apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration', ...fields }));
  return path;
};

it("kubeadm's command line and configuration make a kubelet", () => {
  const ca = join(folder, 'ca.crt');
  writeFileSync(ca, 'the CA');
  const config = file('config.yaml', { ...KUBEADM, authentication: { ...KUBEADM.authentication, x509: { clientCAFile: ca } } });
  const command = parse([
    '--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf',
    '--kubeconfig=/etc/kubernetes/kubelet.conf',
    `--config=${config}`,
    '--container-runtime-endpoint=unix:///var/run/containerd/containerd.sock',
    '--pod-infra-container-image=registry.example/pause:3.10',
    '--node-ip=192.0.2.7',
    '--hostname-override=Node-7',
  ]);
  const flags = command.opts() as KubeletFlags;
  const taken = readSettings(flags, command);
  expect(taken.containerRuntimeEndpoint).toBe('unix:///var/run/containerd/containerd.sock');
  expect(kubeletConfig(flags, taken)).toMatchObject({
    nodeName: 'node-7',
    nodeIPs: ['192.0.2.7'],
    authentication: { anonymous: false, webhook: true, clientCA: 'the CA' },
    healthzPort: 10_248,
    staticPodPath: '/etc/kubernetes/manifests',
    rootDir: '/var/lib/kubelet',
  });
});

it("the flags of kubelets that are set up by hand are their fields' values", () => {
  const taken = settings([
    '--anonymous-auth=false',
    '--authorization-mode=Webhook',
    '--authentication-token-webhook',
    '--eviction-hard=memory.available<200Mi,nodefs.available<5%',
    '--eviction-soft',
    'memory.available<500Mi',
    '--eviction-soft-grace-period=memory.available=1m',
    '--kube-reserved=cpu=200m,memory=1Gi',
    '--register-with-taints=dedicated=gpu:NoSchedule,spot:NoExecute',
    '--cluster-dns=10.96.0.10,10.96.0.11',
    '--read-only-port=0',
    '--fail-swap-on=false',
    '--feature-gates=RotateKubeletServerCertificate=true',
    '--image-gc-high-threshold=75',
    '--image-gc-low-threshold=70',
    '--node-status-update-frequency=5s',
    '--resolv-conf=/run/systemd/resolve/resolv.conf',
    '--max-pods=50',
    '--runtime-cgroups=/system.slice/containerd.service',
    '--cgroup-driver=cgroupfs',
    '--logging-format=json',
    '--housekeeping-interval=10s',
    '--v=2',
  ]);
  expect(taken).toMatchObject({
    anonymousAuth: false,
    webhookAuth: true,
    authorization: 'Webhook',
    evictionHard: { 'memory.available': '200Mi', 'nodefs.available': '5%' },
    evictionSoft: { 'memory.available': '500Mi' },
    evictionSoftGracePeriodMs: { 'memory.available': 60_000 },
    kubeReserved: { cpu: '200m', memory: '1Gi' },
    registerWithTaints: [
      { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' },
      { key: 'spot', effect: 'NoExecute' },
    ],
    clusterDNS: ['10.96.0.10', '10.96.0.11'],
    failSwapOn: false,
    imageGCHighThresholdPercent: 75,
    nodeStatusUpdateFrequencyMs: 5000,
    resolvConf: '/run/systemd/resolve/resolv.conf',
    maxPods: 50,
    cgroupDriver: 'cgroupfs',
  });
});

describe('a flag that is given', () => {
  it('wins over drop-ins, they in the order of their names over the file', () => {
    const config = file('config.yaml', { port: 1, maxPods: 1, clusterDomain: 'a.example', authentication: { anonymous: { enabled: true } } });
    mkdirSync(join(folder, 'conf.d'));
    file('conf.d/20-pods.conf', { maxPods: 20, port: 20 });
    file('conf.d/10-pods.conf', { maxPods: 10, port: 10, clusterDomain: 'b.example' });
    writeFileSync(join(folder, 'conf.d', 'README'), 'not a drop-in');
    const taken = settings([`--config=${config}`, `--config-dir=${join(folder, 'conf.d')}`, '--port=30', '--authentication-token-webhook']);
    expect(taken).toMatchObject({ port: 30, maxPods: 20, clusterDomain: 'b.example', anonymousAuth: true, webhookAuth: true });
  });
});

it.each([
  ['--max-pods=many', 'give a whole number'],
  ['--eviction-hard=memory.available=1Gi', '"memory.available=1Gi" is not key<value'],
  ['--cpu-manager-policy=static', "option '--cpu-manager-policy <value>' argument 'static' is invalid. cpuManagerPolicy: containers share all CPUs"],
  ['--image-credential-provider-config=/etc/providers.yaml', 'credentials for images come from pull secrets'],
  ['--feature-gates=NoSuchGate=true', 'unrecognized feature gate'],
  ['--register-with-taints=dedicated', '"dedicated" is not key=value:effect'],
  ['--cgroup-driver=other', 'cgroupDriver: must be cgroupfs or systemd'],
  ['--no-such-flag', 'unknown option'],
])('%s is refused', (arg, message) => expect(() => parse([arg])).toThrow(message));

it.each([
  [{ apiVersion: 'v1', kind: 'Pod' }, 'is no KubeletConfiguration of kubelet.config.k8s.io/v1beta1'],
  [{ maxPods: 'many' }, 'maxPods: must be a whole number'],
])('a file of %j is refused by its name', (fields, message) => {
  const path = file('kubelet.yaml', fields);
  expect(() => settings([`--config=${path}`])).toThrow(`--config: ${path}: ${message}`);
});

it('what goes together is asked for together', () => {
  const flags = { rootDir: '/r', logLevel: 'info', kubeconfig: '/k' } as const;
  expect(() => kubeletConfig(flags, { tlsCertFile: 'a' })).toThrow('go together');
  expect(() => kubeletConfig({ rootDir: '/r', logLevel: 'info', bootstrapKubeconfig: '/b' }, {})).toThrow('--bootstrap-kubeconfig takes --kubeconfig');
  expect(() => kubeletConfig({ rootDir: '/r', logLevel: 'info' }, { authorization: 'Webhook' })).toThrow(
    'no client provided, cannot use webhook authorization',
  );
  expect(() => kubeletConfig({ rootDir: '/r', logLevel: 'info' }, { webhookAuth: true })).toThrow('no client provided, cannot use webhook authentication');
  expect(() => kubeletConfig({ ...flags, nodeIp: ['here'] }, {})).toThrow('--node-ip: here is no IP address');
});

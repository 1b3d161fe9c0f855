import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readKubeletConfiguration } from './kubelet-configuration.js';
import { kubeletConfig, type KubeletFlags } from './run-kubelet.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'kubelet-config-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const read = (fields: string) => {
  const path = join(folder, 'kubelet.yaml');
  writeFileSync(path, `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${fields}`);
  return readKubeletConfiguration(path);
};

it('takes what a usual file has, in our units', () => {
  const file = read(`
address: 127.0.0.1
port: 10260
clusterDNS: [10.96.0.10]
maxPods: 30
containerLogMaxSize: 20Mi
cpuCFSQuotaPeriod: 50ms
evictionHard: { memory.available: 200Mi }
imageMinimumGCAge: 1m30s
registerWithTaints: [{ key: dedicated, value: gpu, effect: NoSchedule }]
containerRuntimeEndpoint: unix:///run/crio/crio.sock
tlsCertFile: /pki/kubelet.crt
authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: /pki/ca.crt } }
authorization: { mode: Webhook }
`);
  expect(file).toEqual({
    config: {
      address: '127.0.0.1',
      port: 10260,
      clusterDNS: ['10.96.0.10'],
      maxPods: 30,
      containerLogMaxSizeBytes: 20 * 1024 * 1024,
      cpuCFSQuotaPeriodMicros: 50_000,
      evictionHard: { 'memory.available': '200Mi' },
      imageMinimumGCAgeMs: 90_000,
      registerWithTaints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }],
      authentication: { anonymous: false, webhook: true },
      authorization: 'Webhook',
    },
    containerRuntimeEndpoint: 'unix:///run/crio/crio.sock',
    clientCaFile: '/pki/ca.crt',
    tlsCertFile: '/pki/kubelet.crt',
  });
});

it.each([
  ['topologyManagerPolicy: best-effort', 'topologyManagerPolicy: unknown or unsupported field'],
  ['maxPods: many', 'maxPods: must be a whole number'],
  ['evictionHard: { memory.available: 100 }', 'evictionHard: must be a string'],
  ['imageMinimumGCAge: soon', 'imageMinimumGCAge: give a duration'],
  ['authentication: { x509: { caFile: a } }', 'authentication: x509: caFile: unknown or unsupported field'],
  ['registerWithTaints: [{ key: a, effect: Never }]', 'registerWithTaints: effect: must be NoSchedule'],
])('%s is refused', (fields, message) => expect(() => read(fields)).toThrow(message));

it('a file of another kind is refused', () => {
  const path = join(folder, 'other.yaml');
  writeFileSync(path, 'apiVersion: v1\nkind: Pod\n');
  expect(() => readKubeletConfiguration(path)).toThrow('is no KubeletConfiguration of kubelet.config.k8s.io/v1beta1');
});

it('a flag that is given wins over the file, the file over a flag left out', () => {
  const flags: KubeletFlags = {
    kubeconfig: 'k',
    containerRuntimeEndpoint: 'unix:///x',
    rootDir: '/var/lib/kubelet',
    cgroupRoot: '/',
    address: '0.0.0.0',
    port: 10250,
    clusterDomain: 'cluster.local',
    logLevel: 'info',
  };
  const file = read('port: 1234\nclusterDomain: example.org\nmaxPods: 30\n');
  expect(kubeletConfig(flags, () => false, file)).toMatchObject({ port: 1234, clusterDomain: 'example.org', address: '0.0.0.0', maxPods: 30 });
  const asked = { ...flags, maxPods: 5 };
  expect(kubeletConfig(asked, (flag) => flag === 'port', file)).toMatchObject({ port: 10250, clusterDomain: 'example.org', maxPods: 5 });
  expect(() => kubeletConfig({ ...flags, tlsCertFile: 'a' }, () => true, file)).toThrow('--tls-cert-file and --tls-private-key-file go together');
});

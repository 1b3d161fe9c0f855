import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyConntrack, conntrackSysctls } from './conntrack.js';
import { kubeProxyCommand } from './kube-proxy-command.js';
import { readKubeProxyConfiguration } from './kube-proxy-configuration.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kube-proxy-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (text: string) => {
  const path = join(folder, 'config.yaml');
  writeFileSync(path, `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n${text}`);
  return path;
};

// What kubeadm writes into the config map kube-proxy.
const kubeadm = `
bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection: { acceptContentTypes: "", burst: 0, contentType: "", kubeconfig: /var/lib/kube-proxy/kubeconfig.conf, qps: 0 }
clusterCIDR: 10.244.0.0/16
configSyncPeriod: 0s
conntrack: { maxPerCore: null, min: null, tcpBeLiberal: false, tcpCloseWaitTimeout: null, tcpEstablishedTimeout: null, udpStreamTimeout: 0s, udpTimeout: 0s }
detectLocal: { bridgeInterface: "", interfaceNamePrefix: "" }
detectLocalMode: ""
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables: { localhostNodePorts: null, masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s }
ipvs: { excludeCIDRs: null, minSyncPeriod: 0s, scheduler: "", strictARP: false, syncPeriod: 0s, tcpFinTimeout: 0s, tcpTimeout: 0s, udpTimeout: 0s }
logging: { flushFrequency: 0, options: { json: { infoBufferSize: "0" }, text: { infoBufferSize: "0" } }, verbosity: 0 }
metricsBindAddress: ""
mode: ""
nftables: { masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s }
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
showHiddenMetricsForVersion: ""
winkernel: { enableDSR: false, forwardHealthCheckVip: false, networkName: "", rootHnsEndpointName: "", sourceVip: "" }
`;

describe('KubeProxyConfiguration', () => {
  it("kubeadm's", () =>
    expect(readKubeProxyConfiguration(file(kubeadm))).toEqual({
      bindAddress: '0.0.0.0',
      clusterCidr: '10.244.0.0/16',
      kubeconfig: '/var/lib/kube-proxy/kubeconfig.conf',
      conntrackUdpTimeout: 0,
      conntrackUdpTimeoutStream: 0,
    }));

  it('one that says much', () =>
    expect(
      readKubeProxyConfiguration(
        file(`
mode: iptables
iptables: { minSyncPeriod: 1s, syncPeriod: 30s, masqueradeBit: 14 }
conntrack: { maxPerCore: 32768, min: 131072, tcpEstablishedTimeout: 24h0m0s, tcpBeLiberal: true }
clientConnection: { qps: 5, burst: 10 }
nodePortAddresses: [127.0.0.0/8]
metricsBindAddress: 0.0.0.0:10249
oomScoreAdj: -999
enableProfiling: true
logging: { format: text, verbosity: 4 }
hostnameOverride: node-1`),
      ),
    ).toEqual({
      profiling: true,
      loggingFormat: 'text',
      verbosity: 4,
      proxyMode: 'iptables',
      iptablesMinSyncPeriod: 1,
      conntrackMaxPerCore: 32_768,
      conntrackMin: 131_072,
      conntrackTcpTimeoutEstablished: 86_400,
      conntrackTcpBeLiberal: true,
      kubeApiQps: 5,
      kubeApiBurst: 10,
      nodeportAddresses: ['127.0.0.0/8'],
      metricsBindAddress: '0.0.0.0:10249',
      oomScoreAdj: -999,
      hostnameOverride: 'node-1',
    }));

  it.each([
    ['mode: ipvs', 'mode: must be iptables or nftables, got "ipvs"'],
    ['nope: 1', 'nope: unknown or not supported'],
    ['iptables: { masqueradeAll: true }', 'iptables.masqueradeAll: traffic from pods keeps its address (takes false)'],
    ['detectLocalMode: BridgeInterface', 'detectLocalMode: traffic of clusterCIDR is local'],
    ['oomScoreAdj: 2000', 'oomScoreAdj: must be an integer from -1000 to 1000'],
    ['conntrack: { tcpEstablishedTimeout: soon }', 'conntrack.tcpEstablishedTimeout: must be a duration'],
    ['mode: [', 'the file: '],
  ])('%s is refused', (text, message) => expect(() => readKubeProxyConfiguration(file(text))).toThrow(message));
});

describe('connection tracking', () => {
  it('counts per core, with a minimum; 0 leaves it as it is', () => {
    expect(conntrackSysctls({ maxPerCore: 32_768, min: 131_072, tcpEstablished: 86_400 }, 2)).toEqual({
      nf_conntrack_max: 131_072,
      nf_conntrack_tcp_timeout_established: 86_400,
    });
    expect(conntrackSysctls({ maxPerCore: 0, min: 131_072, tcpBeLiberal: true }, 64)).toEqual({ nf_conntrack_tcp_be_liberal: 1 });
  });

  it('writes what differs, and says what it may not', () => {
    writeFileSync(join(folder, 'nf_conntrack_max'), '1\n');
    applyConntrack({ nf_conntrack_max: 7 }, folder);
    expect(readFileSync(join(folder, 'nf_conntrack_max'), 'utf8')).toBe('7');
    expect(() => applyConntrack({ nf_conntrack_nope: 7 }, folder)).toThrow('connection tracking: ENOENT');
  });
});

it.each([
  [['--proxy-mode=ipvs'], 'Allowed choices are iptables, nftables'],
  [['--masquerade-all'], 'traffic from pods keeps its address'],
  [['--detect-local-mode=NodeCIDR'], 'traffic of --cluster-cidr is local'],
])('%j is refused', (args, message) =>
  expect(() =>
    kubeProxyCommand()
      .configureOutput({ writeErr: () => {} })
      .parse(args, { from: 'user' }),
  ).toThrow(message),
);

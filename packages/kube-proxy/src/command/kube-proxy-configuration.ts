import { CliError, featureGateProblem, type LogFormat, readFlagFile, seconds } from '@coxswain/command';
import { type ConfigObject, ConfigReader } from '@coxswain/sdk';
import { parse } from 'yaml';
import type { KubeProxyFlags } from './run-kube-proxy.js';

/** What a KubeProxyConfiguration says, as flags would say it. */
export type KubeProxyFile = Partial<Omit<KubeProxyFlags, 'config' | 'cleanup' | 'initOnly' | 'logLevel'>>;

const VERSION = 'kubeproxy.config.k8s.io/v1alpha1';

/** Reads a KubeProxyConfiguration; what we do not know, or cannot do, is refused by name. Empty and zero fields mean the default, as upstream's do. */
export function readKubeProxyConfiguration(path: string): KubeProxyFile {
  const content = readFlagFile('--config', path);
  const read = new ConfigReader();
  let file: KubeProxyFile = {};
  try {
    file = toFlags(read, parse(content));
  } catch (error) {
    read.problem('the file', (error as Error).message);
  }
  if (read.problems.length > 0) throw new CliError(`--config: ${path}: ${read.problems.join('; ')}`, undefined, 2);
  return file;
}

const fields = [
  'apiVersion',
  'kind',
  'bindAddress',
  'bindAddressHardFail',
  'clientConnection',
  'clusterCIDR',
  'configSyncPeriod',
  'conntrack',
  'detectLocal',
  'detectLocalMode',
  'enableProfiling',
  'featureGates',
  'healthzBindAddress',
  'hostnameOverride',
  'iptables',
  'ipvs',
  'logging',
  'metricsBindAddress',
  'mode',
  'nftables',
  'nodePortAddresses',
  'oomScoreAdj',
  'portRange',
  'showHiddenMetricsForVersion',
  'windowsRunAsService',
  'winkernel',
];

function toFlags(read: ConfigReader, document: unknown): KubeProxyFile {
  const { kind, apiVersion } = (document ?? {}) as ConfigObject;
  if (kind !== 'KubeProxyConfiguration' || apiVersion !== VERSION)
    throw new TypeError(`it is a ${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)}, not a KubeProxyConfiguration of ${VERSION}`);
  const doc = read.object(document, '', fields);
  const mode = optional(doc['mode'], (v): KubeProxyFlags['proxyMode'] => read.choice(v, 'mode', ['iptables', 'nftables'], 'nftables'));
  const detect = read.object(doc['detectLocal'], 'detectLocal', ['bridgeInterface', 'interfaceNamePrefix']);
  for (const name of ['bridgeInterface', 'interfaceNamePrefix'])
    read.settled(detect[name] ?? '', `detectLocal.${name}`, [''], 'traffic of clusterCIDR is local');
  read.settled(doc['detectLocalMode'], 'detectLocalMode', ['', 'ClusterCIDR'], 'traffic of clusterCIDR is local');
  read.settled(doc['showHiddenMetricsForVersion'], 'showHiddenMetricsForVersion', [''], 'no metric is hidden');
  read.settled(doc['windowsRunAsService'], 'windowsRunAsService', [false], 'this is Linux');
  for (const [gate, asked] of Object.entries(read.object(doc['featureGates'], 'featureGates', Object.keys(doc['featureGates'] ?? {})))) {
    const problem = featureGateProblem(gate, asked);
    if (problem !== undefined) read.problem(`featureGates.${gate}`, problem);
  }
  const iptables = rules(read, doc['iptables'], 'iptables', ['localhostNodePorts']);
  const nftables = rules(read, doc['nftables'], 'nftables', []);
  const text = (name: string) => optional(doc[name], (v) => read.text(v, name, ''));
  const logging = read.object(doc['logging'], 'logging', ['format', 'flushFrequency', 'verbosity', 'vmodule', 'options']);
  if (read.list(logging['vmodule'], 'logging.vmodule').length > 0) read.problem('logging.vmodule', 'must be empty: verbosity is one for the whole component');
  return defined({
    profiling: read.boolean(doc['enableProfiling'], 'enableProfiling', false) || undefined,
    loggingFormat: optional(logging['format'] || undefined, (v): LogFormat => read.choice(v, 'logging.format', ['json', 'text'], 'json')),
    verbosity: read.integer(logging['verbosity'], 'logging.verbosity', 0, 0) || undefined,
    ...connection(read, doc['clientConnection']),
    ...conntrack(read, doc['conntrack']),
    proxyMode: mode,
    bindAddress: text('bindAddress'),
    clusterCidr: text('clusterCIDR'),
    hostnameOverride: text('hostnameOverride'),
    healthzBindAddress: text('healthzBindAddress'),
    metricsBindAddress: text('metricsBindAddress'),
    bindAddressHardFail: read.boolean(doc['bindAddressHardFail'], 'bindAddressHardFail', false) || undefined,
    nodeportAddresses: optional(doc['nodePortAddresses'], (v) => read.texts(v, 'nodePortAddresses')),
    oomScoreAdj: optional(doc['oomScoreAdj'], (v) => read.integer(v, 'oomScoreAdj', 0, -1000, 1000)),
    iptablesMinSyncPeriod: iptables,
    nftablesMinSyncPeriod: nftables,
  });
}

/** Rules of one mode: how long changes are gathered. */
function rules(read: ConfigReader, value: unknown, path: string, more: readonly string[]): number | undefined {
  const doc = read.object(value, path, ['masqueradeAll', 'masqueradeBit', 'minSyncPeriod', 'syncPeriod', ...more]);
  read.settled(doc['masqueradeAll'] ?? false, `${path}.masqueradeAll`, [false], 'traffic from pods keeps its address');
  read.settled(doc['masqueradeBit'] ?? 14, `${path}.masqueradeBit`, [14], 'packets are marked with bit 14');
  read.settled(doc['localhostNodePorts'] ?? true, `${path}.localhostNodePorts`, [true], 'node ports answer on localhost, too');
  return duration(read, doc['minSyncPeriod'], `${path}.minSyncPeriod`) || undefined;
}

function connection(read: ConfigReader, value: unknown): KubeProxyFile {
  const at = 'clientConnection';
  const doc = read.object(value, at, ['kubeconfig', 'acceptContentTypes', 'contentType', 'qps', 'burst']);
  for (const name of ['acceptContentTypes', 'contentType'])
    read.settled(doc[name] ?? '', `${at}.${name}`, ['', 'application/json', 'application/vnd.kubernetes.protobuf'], 'JSON is spoken with the API server');
  const qps = doc['qps'] ?? 0;
  if (typeof qps !== 'number') read.problem(`${at}.qps`, `must be a number, got ${JSON.stringify(qps)}`);
  return {
    ...optionalField(
      'kubeconfig',
      optional(doc['kubeconfig'], (v) => read.text(v, `${at}.kubeconfig`, '')),
    ),
    ...(typeof qps === 'number' && qps > 0 ? { kubeApiQps: qps, kubeApiBurst: read.integer(doc['burst'], `${at}.burst`, 1, 0) } : {}),
  };
}

function conntrack(read: ConfigReader, value: unknown): KubeProxyFile {
  const at = 'conntrack';
  const names = ['maxPerCore', 'min', 'tcpEstablishedTimeout', 'tcpCloseWaitTimeout', 'tcpBeLiberal', 'udpTimeout', 'udpStreamTimeout'];
  const doc: ConfigObject = read.object(value, at, names);
  const count = (name: string) => optional(doc[name], (v) => read.integer(v, `${at}.${name}`, 0, 0));
  const time = (name: string) => optional(doc[name], (v) => duration(read, v, `${at}.${name}`));
  return defined({
    conntrackMaxPerCore: count('maxPerCore'),
    conntrackMin: count('min'),
    conntrackTcpTimeoutEstablished: time('tcpEstablishedTimeout'),
    conntrackTcpTimeoutCloseWait: time('tcpCloseWaitTimeout'),
    conntrackUdpTimeout: time('udpTimeout'),
    conntrackUdpTimeoutStream: time('udpStreamTimeout'),
    conntrackTcpBeLiberal: read.boolean(doc['tcpBeLiberal'], `${at}.tcpBeLiberal`, false) || undefined,
  });
}

/** Seconds. */
function duration(read: ConfigReader, value: unknown, path: string): number {
  if (value === undefined || value === null || value === '') return 0;
  try {
    return seconds(String(value));
  } catch {
    read.problem(path, `must be a duration, got ${JSON.stringify(value)}`);
    return 0;
  }
}

/** Null and '' mean what is not said. */
function optional<T>(value: unknown, take: (value: unknown) => T): T | undefined {
  return value === undefined || value === null || value === '' ? undefined : take(value);
}

const optionalField = <K extends keyof KubeProxyFile>(name: K, value: KubeProxyFile[K]) => (value === undefined ? {} : { [name]: value });

function defined(file: { readonly [K in keyof KubeProxyFile]: KubeProxyFile[K] | undefined }): KubeProxyFile {
  return Object.fromEntries(Object.entries(file).filter(([, value]) => value !== undefined));
}

import { KubeClient, transportFromKubeconfig } from '@coxswain/client';
import { connectCri } from '@coxswain/cri';
import { Kubelet, type KubeletConfig } from '@coxswain/kubelet';
import { systemClock, systemRandom } from '@coxswain/sdk';
import { parse } from 'yaml';
import { CliError } from '../../cli-error.js';
import { createLogger, type LogLevel } from '../../logger.js';
import { readFlagFile } from './read-file.js';
import { only, runComponents } from './run-component.js';

export interface KubeletFlags {
  readonly kubeconfig: string;
  readonly config?: string;
  readonly containerRuntimeEndpoint: string;
  readonly hostnameOverride?: string;
  readonly nodeIp?: string;
  readonly nodeLabels?: string;
  readonly cloudProvider?: 'external' | '';
  readonly rootDir: string;
  readonly cgroupRoot: string;
  readonly port: number;
  readonly clusterDns?: string;
  readonly clusterDomain: string;
  readonly podManifestPath?: string;
  readonly clientCaFile?: string;
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly logLevel: LogLevel;
}

/** The fields of a KubeletConfiguration file that we take; others are refused by name rather than ignored. */
const fileFields = new Set([
  'apiVersion',
  'kind',
  'clusterDomain',
  'clusterDNS',
  'port',
  'address',
  'healthzPort',
  'cgroupRoot',
  'staticPodPath',
  'maxPods',
  'resolvConf',
  'containerLogMaxFiles',
  'seccompDefault',
  'systemReserved',
  'kubeReserved',
  'evictionHard',
  'enableDebuggingHandlers',
  'imageGCHighThresholdPercent',
  'imageGCLowThresholdPercent',
  'podCIDR',
  'allowedUnsafeSysctls',
  'cpuCFSQuota',
]);

function fromFile(path: string): KubeletConfig {
  const value = parse(readFlagFile('--config', path)) as Record<string, unknown>;
  if (value?.['kind'] !== 'KubeletConfiguration')
    throw new CliError(`--config: ${path} is no KubeletConfiguration`, 'its kind must be KubeletConfiguration', 2);
  const unknown = Object.keys(value).filter((k) => !fileFields.has(k));
  if (unknown.length > 0)
    throw new CliError(`--config: ${path}: unknown or unsupported fields: ${unknown.join(', ')}`, `supported: ${[...fileFields].join(', ')}`, 2);
  const { apiVersion: _v, kind: _k, ...config } = value;
  return config as KubeletConfig;
}

export function runKubelet(flags: KubeletFlags): Promise<void> {
  const logger = createLogger(flags.logLevel, 'kubelet');
  const config: KubeletConfig = {
    port: flags.port,
    rootDir: flags.rootDir,
    cgroupRoot: flags.cgroupRoot,
    clusterDomain: flags.clusterDomain,
    clusterDNS: flags.clusterDns?.split(',') ?? [],
    nodeIPs: flags.nodeIp?.split(',') ?? [],
    nodeLabels: Object.fromEntries(
      (flags.nodeLabels ?? '')
        .split(',')
        .filter(Boolean)
        .map((pair) => [pair.split('=')[0] as string, pair.split('=')[1] ?? '']),
    ),
    ...(flags.cloudProvider ? { cloudProvider: flags.cloudProvider } : {}),
    ...(flags.hostnameOverride === undefined ? {} : { nodeName: flags.hostnameOverride }),
    ...(flags.podManifestPath === undefined ? {} : { staticPodPath: flags.podManifestPath }),
    authentication: {
      anonymous: false,
      webhook: true,
      ...(flags.clientCaFile === undefined ? {} : { clientCA: readFlagFile('--client-ca-file', flags.clientCaFile) }),
    },
    ...(flags.tlsCertFile === undefined || flags.tlsPrivateKeyFile === undefined
      ? {}
      : { serving: { cert: readFlagFile('--tls-cert-file', flags.tlsCertFile), key: readFlagFile('--tls-private-key-file', flags.tlsPrivateKeyFile) } }),
    ...(flags.config === undefined ? {} : fromFile(flags.config)),
  };
  return runComponents('kubelet', flags.logLevel, [
    only(
      () =>
        new Kubelet(config, {
          client: new KubeClient({ transport: transportFromKubeconfig({ path: flags.kubeconfig }), userAgent: 'kubelet/v1.36.0' }),
          cri: connectCri({ endpoint: flags.containerRuntimeEndpoint }),
          clock: systemClock,
          random: systemRandom,
          logger,
        }),
    ),
  ]);
}

import { KubeClient, transportFromKubeconfig } from '@coxswain/client';
import { CliError, KUBERNETES_VERSION, type LogLevel, readFlagFile } from '@coxswain/command';
import { createLogger, only, runComponents } from '@coxswain/command/run';
import { connectCri } from '@coxswain/cri';
import { systemClock, systemRandom } from '@coxswain/sdk';
import { Kubelet, type KubeletConfig } from '../index.js';
import { type KubeletFile, readKubeletConfiguration } from './kubelet-configuration.js';

export interface KubeletFlags {
  readonly kubeconfig: string;
  readonly config?: string;
  readonly containerRuntimeEndpoint: string;
  readonly hostnameOverride?: string;
  readonly nodeIp?: readonly string[];
  readonly nodeLabels?: Readonly<Record<string, string>>;
  readonly cloudProvider?: 'external' | '';
  readonly rootDir: string;
  readonly cgroupRoot: string;
  readonly address: string;
  readonly port: number;
  readonly maxPods?: number;
  readonly clusterDns?: readonly string[];
  readonly clusterDomain: string;
  readonly podManifestPath?: string;
  readonly clientCaFile?: string;
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly logLevel: LogLevel;
}

/** Whether a flag was on the command line; else its value is our default. */
type Given = (flag: keyof KubeletFlags) => boolean;

export function runKubelet(flags: KubeletFlags, given: Given): Promise<void> {
  const file: KubeletFile = flags.config === undefined ? { config: {} } : readKubeletConfiguration(flags.config);
  const config = kubeletConfig(flags, given, file);
  const endpoint = given('containerRuntimeEndpoint') ? flags.containerRuntimeEndpoint : (file.containerRuntimeEndpoint ?? flags.containerRuntimeEndpoint);
  return runComponents('kubelet', flags.logLevel, [
    only(
      () =>
        new Kubelet(config, {
          client: new KubeClient({ transport: transportFromKubeconfig({ path: flags.kubeconfig }), userAgent: `kubelet/${KUBERNETES_VERSION}` }),
          cri: connectCri({ endpoint }),
          clock: systemClock,
          random: systemRandom,
          logger: createLogger(flags.logLevel, 'kubelet'),
        }),
    ),
  ]);
}

/** As upstream: a flag that is given wins over the file, the file over a flag's default. */
export function kubeletConfig(flags: KubeletFlags, given: Given, file: KubeletFile): KubeletConfig {
  const { cgroupRoot, address, port, maxPods, clusterDomain } = flags;
  const asOptions = (['cgroupRoot', 'address', 'port', 'clusterDomain'] as const).filter((name) => given(name) || file.config[name] === undefined);
  const values = { cgroupRoot, address, port, clusterDomain };
  const clientCaFile = flags.clientCaFile ?? file.clientCaFile;
  const clientCA = clientCaFile === undefined ? {} : { clientCA: readFlagFile('--client-ca-file', clientCaFile) };
  return {
    ...file.config,
    ...Object.fromEntries(asOptions.map((name) => [name, values[name]])),
    rootDir: flags.rootDir,
    nodeIPs: flags.nodeIp ?? [],
    nodeLabels: flags.nodeLabels ?? {},
    ...(maxPods === undefined ? {} : { maxPods }),
    ...(flags.clusterDns === undefined ? {} : { clusterDNS: flags.clusterDns }),
    ...(flags.cloudProvider ? { cloudProvider: flags.cloudProvider } : {}),
    ...(flags.hostnameOverride === undefined ? {} : { nodeName: flags.hostnameOverride }),
    ...(flags.podManifestPath === undefined ? {} : { staticPodPath: flags.podManifestPath }),
    authentication: { anonymous: false, webhook: true, ...file.config.authentication, ...clientCA },
    ...serving(flags.tlsCertFile ?? file.tlsCertFile, flags.tlsPrivateKeyFile ?? file.tlsPrivateKeyFile),
  };
}

function serving(certFile: string | undefined, keyFile: string | undefined): Pick<KubeletConfig, 'serving'> {
  if (certFile === undefined && keyFile === undefined) return {};
  if (certFile === undefined || keyFile === undefined)
    throw new CliError('--tls-cert-file and --tls-private-key-file go together', 'give both, or neither: then the kubelet signs one itself', 2);
  return { serving: { cert: readFlagFile('--tls-cert-file', certFile), key: readFlagFile('--tls-private-key-file', keyFile) } };
}

import { hostname } from 'node:os';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { clientConfig, HttpsTransport, KubeClient, readKubeconfig, limitedTransport, type TransportRequest } from '@coxswain/client';
import { CliError, type Command, type LogLevel, processFlags, readFlagFile, setLogFormat } from '@coxswain/command';
import { createLogger, runComponents } from '@coxswain/command/run';
import { connectCri } from '@coxswain/cri';
import { component, type ComponentRecipe } from '@coxswain/host';
import { KUBERNETES_VERSION, type Logger, systemClock, systemRandom } from '@coxswain/sdk';
import { bootstrapKubeconfig } from '../certificates/bootstrap.js';
import { clientOrder, servingOrder } from '../certificates/certificate-order.js';
import { CertificateFiles } from '../certificates/certificate-files.js';
import { CertificateRotation } from '../certificates/certificate-rotation.js';
import { CertificateStore } from '../certificates/certificate-store.js';
import { RotatingTransport } from '../certificates/rotating-transport.js';
import { Kubelet, type KubeletConfig } from '../index.js';
import { detectNodeIPs } from '../node/machine.js';
import { StandaloneTransport } from '../standalone-transport.js';
import { withConfigFlags } from './config-flags.js';
import { kubeletSettings } from './kubelet-configuration.js';
import type { KubeletSettings } from './kubelet-settings.js';
import { checkMachine, setUpProcess } from './machine-checks.js';
import { programConfiguration } from './program-configuration.js';
import { named } from './takes.js';
import { readConfiguration } from './read-configuration.js';

export interface KubeletFlags {
  readonly kubeconfig?: string;
  readonly bootstrapKubeconfig?: string;
  readonly certDir?: string;
  readonly config?: string;
  readonly configDir?: string;
  readonly hostnameOverride?: string;
  readonly nodeIp?: readonly string[];
  readonly nodeLabels?: Readonly<Record<string, string>>;
  readonly cloudProvider?: 'external' | '';
  readonly rootDir: string;
  readonly logLevel: LogLevel;
}

type ParsedCommand = Pick<Command, 'getOptionValueSource' | 'getOptionValue' | 'options'>;

const USER_AGENT = `kubelet/${KUBERNETES_VERSION}`;
/** Upstream's: so long after its client certificate ran out a kubelet ends, to bootstrap again. */
const EXPIRED_MS = 5 * 60_000;
const clock = systemClock;
const random = systemRandom;

export async function runKubelet(flags: KubeletFlags, command: ParsedCommand): Promise<void> {
  const settings = readSettings(flags, command);
  const logLevel =
    command.getOptionValueSource('logLevel') === undefined || command.getOptionValueSource('logLevel') === 'default'
      ? levelOf(settings, flags)
      : flags.logLevel;
  setLogFormat(settings.logFormat ?? 'json');
  const logger = createLogger(logLevel, 'kubelet');
  const config = kubeletConfig(flags, settings);
  await checkMachine(settings);
  await setUpProcess(settings, logger);
  const store = new CertificateStore(flags.certDir || join(flags.rootDir, 'pki'), 'kubelet-client');
  if (flags.kubeconfig && flags.bootstrapKubeconfig) {
    const { kubeconfig, bootstrapKubeconfig: path } = flags;
    await bootstrapKubeconfig(
      { kubeconfig, bootstrapKubeconfig: path, store, nodeName: config.nodeName, userAgent: USER_AGENT, clock, logger },
      new AbortController().signal,
    );
  }
  await runComponents('kubelet', logLevel, parts(flags, settings, config, store, logger));
}

/** The kubelet, and what keeps its certificates valid. */
function parts(flags: KubeletFlags, settings: KubeletSettings, config: NodeConfig, store: CertificateStore, logger: Logger): ComponentRecipe[] {
  const { kubeconfig } = flags;
  const { kubeAPIQPS = 50, kubeAPIBurst = 100, rotateCertificates, serverTLSBootstrap } = settings;
  let rotation: CertificateRotation | undefined;
  const rotating = kubeconfig
    ? named(
        '--kubeconfig',
        () => new RotatingTransport(() => new HttpsTransport({ ...clientConfig(readKubeconfig({ path: kubeconfig })).transport, ...rotation?.current })),
      )
    : undefined;
  const transport = rotating
    ? kubeAPIQPS > 0
      ? limitedTransport(rotating, { qps: kubeAPIQPS, burst: kubeAPIBurst }, clock, isUncounted)
      : rotating
    : new StandaloneTransport();
  const client = new KubeClient({ transport, userAgent: USER_AGENT });
  const keep = { client, clock, random, logger };
  if (rotating && rotateCertificates) {
    rotation = new CertificateRotation({
      ...keep,
      name: 'client-certificate',
      store,
      order: clientOrder(config.nodeName),
      ...(flags.bootstrapKubeconfig ? { giveUpAfterMs: EXPIRED_MS } : {}),
    });
    rotation.onChange(() => rotating.rotate());
    if (rotation.current) rotating.rotate();
  }
  const files = settings.tlsCertFile && settings.tlsPrivateKeyFile ? { cert: settings.tlsCertFile, key: settings.tlsPrivateKeyFile } : undefined;
  const serving =
    files && config.serving
      ? new CertificateFiles(files, config.serving, clock, logger)
      : rotating && serverTLSBootstrap
        ? new CertificateRotation({
            ...keep,
            name: 'serving-certificate',
            store: new CertificateStore(flags.certDir || join(flags.rootDir, 'pki'), 'kubelet-server'),
            order: servingOrder(config.nodeName, [config.nodeName], config.nodeIPs),
          })
        : undefined;
  const recipes = [rotation, serving].flatMap((part) => (part ? [component(part.name, [], () => part)] : []));
  const kubelet = component('kubelet', [], () => {
    const {
      containerRuntimeEndpoint: endpoint = 'unix:///run/containerd/containerd.sock',
      imageServiceEndpoint: imageEndpoint,
      runtimeRequestTimeoutMs: timeoutMs,
    } = settings;
    const cri = connectCri({ endpoint, ...(imageEndpoint ? { imageEndpoint } : {}), ...(timeoutMs ? { timeoutMs } : {}) });
    return new Kubelet(config, {
      ...keep,
      cri,
      standalone: !rotating,
      configuration: programConfiguration(settings),
      flags: processFlags(),
      ...(serving ? { servingCertificate: serving } : {}),
    });
  });
  return [...recipes, kubelet];
}

/** `--config`, over it `--config-dir`, over them the flags. */
export function readSettings(flags: Pick<KubeletFlags, 'config' | 'configDir'>, command: ParsedCommand): KubeletSettings {
  const file = readConfiguration(flags.config, flags.configDir);
  try {
    return kubeletSettings(withConfigFlags(file, command));
  } catch (error) {
    throw new CliError((error as Error).message, undefined, 2, { cause: error });
  }
}

type NodeConfig = KubeletConfig & { readonly nodeName: string; readonly nodeIPs: readonly string[] };

/** Upstream's defaults for a program; a library has no port and no limits it was not asked for. */
const DEFAULTS = { healthzPort: 10_248, registryPullQPS: 5, eventRecordQPS: 50 } satisfies KubeletConfig;

export function kubeletConfig(flags: KubeletFlags, settings: KubeletSettings): NodeConfig {
  const { anonymousAuth, webhookAuth, clientCAFile, tlsCertFile, tlsPrivateKeyFile, serializeImagePulls: _serialize, ...options } = settings;
  const nodeIPs = addresses(flags.nodeIp ?? []);
  const standalone = !flags.kubeconfig;
  const { authorization = standalone ? 'AlwaysAllow' : 'Webhook' } = options;
  // Upstream's words.
  if (standalone && webhookAuth)
    throw new CliError('no client provided, cannot use webhook authentication', 'give --kubeconfig, or --authentication-token-webhook=false', 2);
  if (standalone && authorization === 'Webhook')
    throw new CliError('no client provided, cannot use webhook authorization', 'give --kubeconfig, or --authorization-mode=AlwaysAllow', 2);
  if (standalone && (flags.bootstrapKubeconfig ?? '') !== '') throw new CliError('--bootstrap-kubeconfig takes --kubeconfig, the file it writes', undefined, 2);
  return {
    ...DEFAULTS,
    ...options,
    authorization,
    rootDir: flags.rootDir,
    nodeName: (flags.hostnameOverride || hostname()).toLowerCase(),
    ...(nodeIPs.length > 0 ? { nodeIPs } : { nodeIPs: detectNodeIPs(), nodeIPsDetected: true }),
    nodeLabels: flags.nodeLabels ?? {},
    ...(flags.cloudProvider ? { cloudProvider: flags.cloudProvider } : {}),
    authentication: {
      anonymous: anonymousAuth ?? false,
      webhook: webhookAuth ?? !standalone,
      ...(clientCAFile === undefined ? {} : { clientCA: readFlagFile('authentication.x509.clientCAFile', clientCAFile) }),
    },
    ...servingFiles(tlsCertFile, tlsPrivateKeyFile),
  };
}

/** Unspecified addresses ask for the one that is found. */
function addresses(given: readonly string[]): string[] {
  for (const address of given) if (isIP(address) === 0) throw new CliError(`--node-ip: ${address} is no IP address`, undefined, 2);
  return given.filter((address) => address !== '0.0.0.0' && address !== '::');
}

function servingFiles(certFile: string | undefined, keyFile: string | undefined): Pick<KubeletConfig, 'serving'> {
  if (certFile === undefined && keyFile === undefined) return {};
  if (certFile === undefined || keyFile === undefined)
    throw new CliError(
      'tlsCertFile and tlsPrivateKeyFile (--tls-cert-file, --tls-private-key-file) go together',
      'give both, or neither: then the kubelet signs one itself',
      2,
    );
  return { serving: { cert: readFlagFile('--tls-cert-file', certFile), key: readFlagFile('--tls-private-key-file', keyFile) } };
}

const levelOf = ({ verbosity = 0 }: KubeletSettings, { logLevel }: KubeletFlags): LogLevel => (verbosity >= 4 ? 'debug' : logLevel);

/** Events have a limit of their own, and the node's lease none, as in upstream: a busy node is no dead node. */
function isUncounted({ path }: TransportRequest): boolean {
  return path.endsWith('/events') || path.includes('/events/') || path.includes('/leases/');
}

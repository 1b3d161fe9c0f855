import { rmSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import {
  type ClusterConfig,
  type ExternalEtcd,
  freeHostName,
  type HostSpec,
  nodeViews,
  type PodNetworkMode,
  type ProxyMode,
  type ReplaceableComponent,
} from '@coxswain/cluster';
import { detectNodeIP } from '@coxswain/linux';
import { AddressPool } from '@coxswain/cloud-local';
import { CliError, type LogLevel, readFlagFile } from '@coxswain/command';
import { loadCluster, loadOrCreateCluster } from '../cluster/clusters.js';
import { lastUp } from '../cluster/last-up.js';
import { describing } from '../cluster/one-at-a-time.js';
import { processesOf, running, supervisionOf } from '../cluster/processes.js';
import { registerInstance } from '../cluster/instances.js';
import { checkEtcd, checkIptables, checkNsenter, checkPort } from '../preflight/checks.js';
import { requireExternalEtcd } from '../preflight/check-external-etcd.js';
import { AUTO } from '../runtimes/names.js';
import { chooseRuntime, runtimeOf } from '../runtimes/registry.js';
import { isHeld, isReady, restartsOf, type Supervision, supervisorOf } from '../supervise/supervision.js';
import { basicChecks, machineChecks, requireAll } from './doctor.js';

export interface UpOptions {
  readonly name: string;
  readonly foreground: boolean;
  readonly nodeIp?: string;
  readonly nodeName?: string;
  /** Absent: as the cluster was made; of a new one, 1: this machine itself. */
  readonly nodes?: number;
  /** So many of the hosts, from the first, run a control plane. */
  readonly controlPlanes?: number;
  readonly etcdEndpoints?: string;
  readonly etcdCafile?: string;
  readonly etcdCertfile?: string;
  readonly etcdKeyfile?: string;
  /** Runtimes' names: one for all nodes, or one for each; `auto`. */
  readonly runtime: readonly string[];
  readonly proxyMode?: ProxyMode;
  readonly networkPolicy?: boolean;
  readonly metricsServer?: boolean;
  readonly otlpEndpoint?: string;
  /** Components that somebody else runs. */
  readonly without?: readonly ReplaceableComponent[];
  readonly podCidr?: string;
  readonly serviceCidr?: string;
  readonly hostCidr?: string;
  readonly podNetwork?: PodNetworkMode;
  readonly nodeMonitorGracePeriod?: number;
  readonly apiPort?: number;
  readonly loadBalancerPool?: string;
  readonly cloud: boolean;
  readonly kubeconfig: boolean;
  readonly logLevel: LogLevel;
}

/** The cluster that `up` is to start: checked, saved, and with its ports free. */
export async function prepareCluster(options: UpOptions): Promise<{ config: ClusterConfig; created: boolean }> {
  requireAll(basicChecks());
  const saved = loadCluster(options.name);
  // A cluster keeps the runtimes it was made with, whatever the machine has got since.
  const automatic = options.runtime.length === 1 && options.runtime[0] === AUTO;
  const controlPlanes = options.controlPlanes ?? 1;
  const nodes = options.nodes ?? (saved ? nodeViews(saved).length : controlPlanes);
  if (controlPlanes > nodes) throw new CliError(`--control-planes ${controlPlanes} are more than --nodes ${nodes}`, 'give at least as many nodes', 2);
  const etcd = externalEtcd(options);
  const runtimes = saved && automatic ? nodeViews(saved).map(runtimeOf) : options.runtime.map(chooseRuntime);
  if (runtimes.length > 1 && runtimes.length !== nodes)
    throw new CliError(`--runtime names ${runtimes.length} runtimes for ${nodes} nodes`, 'name one for all nodes, or one for each', 2);
  for (const runtime of new Set(runtimes)) requireAll(await machineChecks(runtime));
  const runtimeNames = runtimes.map(({ name }) => name);
  const hosts = nodes > 1 ? hostSpecs(nodes, runtimeNames, controlPlanes) : [];
  if (controlPlanes > 1 && !etcd) requireAll([checkEtcd()]);
  if (hosts.length > 0) {
    requireAll([checkNsenter()]);
    for (const [flag, value] of [
      ['--node-ip', options.nodeIp],
      ['--node-name', options.nodeName],
    ] as const) {
      if (value !== undefined) throw new CliError(`${flag} is for a cluster whose one node is this machine`, 'leave it out, or leave out --nodes', 2);
    }
  }
  const { proxyMode = saved?.proxyMode, networkPolicy, metricsServer, cloud, loadBalancerPool } = options;
  if (!cloud && loadBalancerPool !== undefined) throw new CliError('--load-balancer-pool and --no-cloud exclude each other', 'leave one of them out', 2);
  if (loadBalancerPool !== undefined) checkPool(loadBalancerPool);
  if (proxyMode === 'iptables') requireAll([checkIptables()]);
  const request = {
    name: options.name,
    ...(hosts.length > 0 ? { hosts } : { nodeIP: nodeAddress(options.nodeIp) }),
    ...(options.nodes === undefined ? {} : { nodes: options.nodes }),
    ...(options.controlPlanes === undefined ? {} : { controlPlanes: options.controlPlanes }),
    ...(etcd === undefined ? {} : { etcd }),
    ...(saved && automatic ? {} : { runtimes: runtimeNames }),
    ...(proxyMode === undefined ? {} : { proxyMode }),
    ...(networkPolicy === undefined ? {} : { networkPolicy }),
    ...(metricsServer === undefined ? {} : { metricsServer }),
    ...(options.otlpEndpoint === undefined ? {} : { otlpEndpoint: options.otlpEndpoint }),
    ...(options.without === undefined ? {} : { without: options.without }),
    ...(options.nodeName === undefined ? {} : { nodeName: options.nodeName }),
    ...(options.podCidr === undefined ? {} : { podCIDR: options.podCidr }),
    ...(options.serviceCidr === undefined ? {} : { serviceCIDR: options.serviceCidr }),
    ...(options.hostCidr === undefined ? {} : { hostCIDR: options.hostCidr }),
    ...(options.podNetwork === undefined ? {} : { podNetwork: options.podNetwork }),
    ...(options.nodeMonitorGracePeriod === undefined ? {} : { nodeMonitorGracePeriodSeconds: options.nodeMonitorGracePeriod }),
    ...(options.apiPort === undefined ? {} : { apiPort: options.apiPort }),
    ...(loadBalancerPool === undefined ? {} : { loadBalancerPool }),
    cloud,
  };
  const known = await describing(() => loadOrCreateCluster(request));
  try {
    await requireFree(known.config);
    if (known.config.etcd?.kind === 'external') await requireExternalEtcd(known.config.etcd, hosts.length > 0);
  } catch (error) {
    if (known.created) rmSync(known.config.paths.state, { recursive: true, force: true });
    throw error;
  }
  for (const view of nodeViews(known.config)) await registerInstance(view);
  return known;
}

function checkPool(pool: string): void {
  try {
    new AddressPool(pool);
  } catch (error) {
    throw new CliError(`--load-balancer-pool ${(error as Error).message}`, undefined, 2);
  }
}

function nodeAddress(given: string | undefined): string {
  if (given !== undefined && !isIPv4(given)) throw new CliError(`--node-ip ${given} is not an IPv4 address`, undefined, 2);
  const address = given ?? detectNodeIP();
  if (address === undefined) throw new CliError('this machine has no address besides loopback', 'give one with --node-ip');
  return address;
}

function externalEtcd({ etcdEndpoints, etcdCafile, etcdCertfile, etcdKeyfile }: UpOptions): ExternalEtcd | undefined {
  if (etcdEndpoints === undefined) {
    if (etcdCafile ?? etcdCertfile ?? etcdKeyfile)
      throw new CliError('certificate files for etcd were given, but no --etcd-endpoints', 'name the members, or leave the files out', 2);
    return undefined;
  }
  for (const [flag, path] of [
    ['--etcd-cafile', etcdCafile],
    ['--etcd-certfile', etcdCertfile],
    ['--etcd-keyfile', etcdKeyfile],
  ] as const) {
    if (path !== undefined) readFlagFile(flag, path);
  }
  return {
    endpoints: etcdEndpoints.split(','),
    ...(etcdCafile === undefined ? {} : { caFile: resolve(etcdCafile) }),
    ...(etcdCertfile === undefined ? {} : { certFile: resolve(etcdCertfile) }),
    ...(etcdKeyfile === undefined ? {} : { keyFile: resolve(etcdKeyfile) }),
  };
}

function hostSpecs(count: number, runtimes: readonly string[], controlPlanes: number): HostSpec[] {
  const specs: HostSpec[] = [];
  for (let i = 0; i < count; i++) {
    const runtime = runtimes[i] ?? runtimes[0];
    specs.push({ name: freeHostName(specs), controlPlane: i < controlPlanes, ...(runtime === undefined ? {} : { runtime }) });
  }
  return specs;
}

/**
 * Refuse a second `up` of a cluster that runs, and ports that somebody else has. Who saw something of it end since the last `up` and starts it again is
 * right, also when its supervisor was faster; and then nobody but the process has its ports.
 */
async function requireFree(config: ClusterConfig): Promise<void> {
  const processes = processesOf(config).map((each) => ({ ...each, supervision: supervisionOf(each.view, each.role) }));
  const looksAfter = ({ supervision }: { readonly supervision: Supervision }) =>
    supervisorOf(supervision) !== undefined && isReady(supervision) && !isHeld(supervision);
  // One that was stopped half-way is gone on with.
  const since = lastUp(config) * 1000;
  const cameBack = ({ supervision }: { readonly supervision: Supervision }) => (restartsOf(supervision).at ?? -1) >= since;
  if (since > 0 && processes.every((each) => running(each.view, each.role) && looksAfter(each)) && !processes.some(cameBack)) {
    throw new CliError(
      `cluster "${config.name}" is running already`,
      `look at it with: cox status --name ${config.name}; make another with: cox up --name OTHER`,
    );
  }
  const { ports } = config;
  const api = () => checkPort(ports.apiServer, 'API server', '--api-port');
  const wanted: Readonly<Record<string, () => ReturnType<typeof checkPort>[]>> =
    config.hosts.length > 0
      ? // Everything else is on the hosts, each with all ports to itself.
        { 'load-balancer': () => [api()] }
      : {
          'control-plane': () => [
            api(),
            checkPort(ports.scheduler, 'scheduler'),
            checkPort(ports.controllerManager, 'controller manager'),
            ...(config.cloud ? [checkPort(ports.cloudControllerManager, 'cloud controller manager')] : []),
          ],
          node: () => [
            checkPort(ports.kubelet, 'kubelet'),
            checkPort(ports.kubeletHealth, 'kubelet health'),
            checkPort(ports.proxyHealth, 'proxy health'),
            checkPort(ports.proxyMetrics, 'proxy metrics'),
            checkPort(ports.dns, 'cluster DNS'),
          ],
        };
  const itsOwn = (role: string) => running(config, role) || looksAfter({ supervision: supervisionOf(config, role) });
  const checks = Object.entries(wanted).flatMap(([role, ask]) => (itsOwn(role) ? [] : ask()));
  requireAll(await Promise.all(checks));
}

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ClusterConfig,
  ClusterSpecError,
  clusterPaths,
  controlPlaneViews,
  defaultPorts,
  DEFAULT_GRACE_PERIOD_SECONDS,
  DEFAULT_RUNTIME,
  type ExternalEtcd,
  hostNetworkOf,
  type HostSpec,
  MAX_CLUSTERS,
  nodeViews,
  type PodNetworkMode,
  type ProxyMode,
  type ReplaceableComponent,
  resolveClusterSpec,
  stateRoot,
} from '@coxswain/cluster';
import { CliError } from '@coxswain/command';
import { writeFileAtomic } from '@coxswain/pki';

/** Names of the clusters this machine knows, running or not. */
export function knownClusters(): string[] {
  if (!existsSync(stateRoot())) return [];
  return readdirSync(stateRoot()).filter((name) => existsSync(join(stateRoot(), name, 'cluster.json')));
}

/** The saved description of a cluster; undefined when there is none. */
export function loadCluster(name: string): ClusterConfig | undefined {
  const { config: file, state } = clusterPaths(name);
  if (!existsSync(file)) return undefined;
  try {
    return upToDate(JSON.parse(readFileSync(file, 'utf8')) as ClusterConfig);
  } catch (error) {
    throw new CliError(
      `${file} does not describe a cluster: ${(error as Error).message}`,
      // `cox down` needs it to know what to take away.
      `restore the file; if the cluster is down, it may be begun anew without: rm -r ${state}`,
    );
  }
}

/** Descriptions from before there was a choice lack what could be chosen since. */
function upToDate(saved: ClusterConfig): ClusterConfig {
  const since = {
    runtime: DEFAULT_RUNTIME,
    proxyMode: 'nftables',
    networkPolicy: true,
    metricsServer: true,
    without: [],
    hosts: [],
    hostNetwork: hostNetworkOf(saved.index),
    podNetwork: 'auto',
    nodeMonitorGracePeriodSeconds: DEFAULT_GRACE_PERIOD_SECONDS,
  } as const;
  return { ...since, ...saved, ports: { ...defaultPorts(saved.index), ...saved.ports }, paths: { ...clusterPaths(saved.name), ...saved.paths } };
}

export function saveCluster(config: ClusterConfig): void {
  // Open to all, as the folders of volumes and images in it must be.
  mkdirSync(config.paths.state, { recursive: true });
  writeFileAtomic(config.paths.config, `${JSON.stringify(config, undefined, 2)}\n`);
}

export function requireCluster(name: string): ClusterConfig {
  const config = loadCluster(name);
  if (config) return config;
  const others = knownClusters();
  throw new CliError(
    `there is no cluster named "${name}"`,
    others.length > 0 ? `this machine has: ${others.join(', ')} (choose with --name)` : `make one with: cox up${name === 'default' ? '' : ` --name ${name}`}`,
  );
}

export interface ClusterRequest {
  readonly name: string;
  /** Of this machine, when it is the one node. */
  readonly nodeIP?: string;
  readonly nodeName?: string;
  /** How many nodes were asked for, when it was said. */
  readonly nodes?: number;
  readonly controlPlanes?: number;
  readonly etcd?: ExternalEtcd;
  /** Of a new cluster; none: this machine is the one node. */
  readonly hosts?: readonly HostSpec[];
  /** Names of runtimes, one for all nodes or one for each; when they were asked for, and of a new cluster. */
  readonly runtimes?: readonly string[];
  readonly proxyMode?: ProxyMode;
  readonly networkPolicy?: boolean;
  readonly metricsServer?: boolean;
  /** Empty: not any more. */
  readonly otlpEndpoint?: string;
  readonly without?: readonly ReplaceableComponent[];
  readonly podCIDR?: string;
  readonly serviceCIDR?: string;
  readonly hostCIDR?: string;
  readonly podNetwork?: PodNetworkMode;
  readonly nodeMonitorGracePeriodSeconds?: number;
  readonly apiPort?: number;
  readonly cloud: boolean;
  readonly loadBalancerPool?: string;
}

/** The cluster as saved by an earlier `up`, or a new one with the first free index; saved before anything is started. */
export function loadOrCreateCluster(request: ClusterRequest): { config: ClusterConfig; created: boolean } {
  const saved = loadCluster(request.name);
  if (saved) return { config: again(saved, request), created: false };
  const used = new Set(knownClusters().map((name) => loadCluster(name)?.index));
  const index = wantedIndex() ?? Array.from({ length: MAX_CLUSTERS }, (_, i) => i).find((i) => !used.has(i));
  if (index === undefined) throw new CliError(`this machine has ${MAX_CLUSTERS} clusters already`, `remove one with: cox down --name NAME --purge`);
  try {
    const { podCIDR, serviceCIDR, hostCIDR, podNetwork } = request;
    const config = resolveClusterSpec({
      name: request.name,
      index,
      ...(request.nodeIP === undefined ? {} : { nodeIP: request.nodeIP }),
      ...(request.runtimes?.[0] === undefined ? {} : { runtime: request.runtimes[0] }),
      ...(request.proxyMode === undefined ? {} : { proxyMode: request.proxyMode }),
      ...(request.networkPolicy === undefined ? {} : { networkPolicy: request.networkPolicy }),
      ...(request.metricsServer === undefined ? {} : { metricsServer: request.metricsServer }),
      ...(request.otlpEndpoint ? { otlpEndpoint: request.otlpEndpoint } : {}),
      ...(request.without === undefined ? {} : { without: request.without }),
      ...(request.nodeName === undefined ? {} : { nodeName: request.nodeName }),
      ...(request.hosts === undefined ? {} : { hosts: request.hosts }),
      ...(request.etcd === undefined ? {} : { etcd: request.etcd }),
      ...(request.nodeMonitorGracePeriodSeconds === undefined ? {} : { nodeMonitorGracePeriodSeconds: request.nodeMonitorGracePeriodSeconds }),
      network: {
        ...(podCIDR === undefined ? {} : { podCIDR }),
        ...(serviceCIDR === undefined ? {} : { serviceCIDR }),
        ...(hostCIDR === undefined ? {} : { hostCIDR }),
        ...(podNetwork === undefined ? {} : { podNetwork }),
      },
      ...(request.apiPort === undefined ? {} : { ports: { apiServer: request.apiPort } }),
      ...(request.cloud ? { cloud: request.loadBalancerPool === undefined ? {} : { loadBalancerPool: request.loadBalancerPool } } : {}),
    });
    saveCluster(config);
    return { config, created: true };
  } catch (error) {
    if (error instanceof ClusterSpecError) throw new CliError(error.message, undefined, 2);
    throw error;
  }
}

/** A cluster of an earlier `up`: what it was made with stays, and what can change does. */
function again(saved: ClusterConfig, request: ClusterRequest): ClusterConfig {
  const nodes = nodeViews(saved);
  if (request.nodes !== undefined && request.nodes !== nodes.length) {
    throw new CliError(
      `--nodes ${request.nodes} differs from ${nodes.length}, which cluster "${saved.name}" has`,
      saved.hosts.length > 0
        ? `change it with: cox node add, cox node remove (--cluster ${saved.name})`
        : `leave the flag out, or start afresh after: cox down --name ${saved.name} --purge`,
      2,
    );
  }
  refuseChange('--control-planes', request.controlPlanes, controlPlaneViews(saved).length, saved.name);
  refuseChange('--etcd-endpoints', request.etcd?.endpoints.join(), saved.etcd?.kind === 'external' ? saved.etcd.endpoints.join() : 'none', saved.name);
  refuseChange('--pod-cidr', request.podCIDR, saved.podCIDR, saved.name);
  refuseChange('--service-cidr', request.serviceCIDR, saved.serviceCIDR, saved.name);
  refuseChange('--host-cidr', request.hostCIDR, saved.hostNetwork.cidr, saved.name);
  refuseChange('--pod-network', request.podNetwork, saved.podNetwork, saved.name);
  refuseChange('--api-port', request.apiPort, saved.ports.apiServer, saved.name);
  refuseChange('--node-name', request.nodeName, saved.nodeName, saved.name);
  refuseChange('--proxy-mode', request.proxyMode, saved.proxyMode, saved.name);
  refuseChange('--network-policy', request.networkPolicy, saved.networkPolicy, saved.name);
  refuseChange('--load-balancer-pool', request.loadBalancerPool, saved.cloud?.loadBalancerPool ?? 'no cloud', saved.name);
  if (!request.cloud) refuseChange('--no-cloud', '', saved.cloud ? 'having a cloud' : '', saved.name);
  for (const [i, { runtime }] of nodes.entries()) refuseChange('--runtime', request.runtimes?.[i] ?? request.runtimes?.[0], runtime, saved.name);
  const { otlpEndpoint: _, ...unsent } = saved;
  const config = {
    ...(request.otlpEndpoint === '' ? unsent : saved),
    ...(request.otlpEndpoint ? { otlpEndpoint: request.otlpEndpoint } : {}),
    // The machine may have got another address since.
    ...(request.nodeIP === undefined || saved.hosts.length > 0 ? {} : { nodeIP: request.nodeIP }),
    // The same members; the files may be others now.
    ...(request.etcd === undefined ? {} : { etcd: { kind: 'external' as const, ...request.etcd } }),
    ...(request.nodeMonitorGracePeriodSeconds === undefined ? {} : { nodeMonitorGracePeriodSeconds: request.nodeMonitorGracePeriodSeconds }),
    ...(request.metricsServer === undefined ? {} : { metricsServer: request.metricsServer }),
    ...(request.without === undefined ? {} : { without: request.without }),
  };
  if (JSON.stringify(config) !== JSON.stringify(saved)) saveCluster(config);
  return config;
}

/**
 * A testing aid: `COXSWAIN_CLUSTER_INDEX` (0 to 7) chooses the index of a new cluster, because clusters of different
 * `COXSWAIN_STATE_DIR`s don't see each other and would all take the same ports, networks and bridge.
 */
function wantedIndex(): number | undefined {
  const text = process.env['COXSWAIN_CLUSTER_INDEX'];
  return text === undefined || text === '' ? undefined : Number(text);
}

function refuseChange(flag: string, wanted: string | number | boolean | undefined, saved: string | number | boolean, name: string): void {
  if (wanted === undefined || wanted === saved) return;
  throw new CliError(
    `${flag} ${wanted} differs from ${saved}, with which cluster "${name}" was made`,
    `leave the flag out, or start afresh after: cox down --name ${name} --purge`,
    2,
  );
}

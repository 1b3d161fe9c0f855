import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { addressAt, overlaps, parseCidr4 } from './cidr.js';
import { type ClusterConfig, type ClusterPaths, type ClusterPorts, type ClusterSpec, podNetworkModes, replaceableComponents } from './cluster-spec.js';
import { DEFAULT_GRACE_PERIOD_SECONDS, firstHosts, hostNetworkOf, hostProblems } from './hosts/resolve-hosts.js';
import { detectNodeIP } from '@coxswain/linux';

/** What is wrong with a cluster's description, field by field. */
export class ClusterSpecError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('; '));
    this.name = 'ClusterSpecError';
  }
}

/** Clusters side by side on one machine: more than this many would run out of node port ranges below the ephemeral ports. */
export const MAX_CLUSTERS = 8;

/** What runs containers when a spec, or a description saved before there was a choice, does not say. */
export const DEFAULT_RUNTIME = 'containerd';

/** Fill in every default and check the whole. Throws `ClusterSpecError` with all problems. */
export function resolveClusterSpec(spec: ClusterSpec): ClusterConfig {
  const problems: string[] = [];
  const index = spec.index ?? 0;
  if (!/^[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?$/.test(spec.name)) {
    problems.push(`name "${spec.name}" must be 1 to 20 lower-case letters, digits or dashes, and start and end with a letter or digit`);
  }
  if (!Number.isInteger(index) || index < 0 || index >= MAX_CLUSTERS) problems.push(`index must be 0 to ${MAX_CLUSTERS - 1}, got ${index}`);

  const podCIDR = spec.network?.podCIDR ?? `10.${244 - index}.0.0/16`;
  const serviceCIDR = spec.network?.serviceCIDR ?? `10.${96 + index}.0.0/16`;
  const pods = parseCidr4(podCIDR);
  const services = parseCidr4(serviceCIDR);
  if (!pods) problems.push(`network.podCIDR "${podCIDR}" is not an IPv4 network such as 10.244.0.0/16`);
  if (!services) problems.push(`network.serviceCIDR "${serviceCIDR}" is not an IPv4 network such as 10.96.0.0/16`);
  if (pods && services && overlaps(pods, services))
    problems.push(`network.podCIDR ${podCIDR} and network.serviceCIDR ${serviceCIDR} overlap; choose separate networks`);
  if (pods && pods.bits > 24) problems.push(`network.podCIDR ${podCIDR} is too small: every node takes a /24 of it`);
  if (services && services.bits > 28) problems.push(`network.serviceCIDR ${serviceCIDR} is too small: it needs at least 16 addresses`);
  const hostNetwork = hostNetworkOf(index, spec.network?.hostCIDR);
  const hosts = firstHosts(spec.hosts ?? [], hostNetwork, spec.runtime ?? DEFAULT_RUNTIME);
  const grace = spec.nodeMonitorGracePeriodSeconds ?? DEFAULT_GRACE_PERIOD_SECONDS;
  if (hosts.length > 0) problems.push(...hostProblems({ hosts, hostNetwork, podCIDR, serviceCIDR }));
  const podNetwork = spec.network?.podNetwork ?? 'auto';
  if (!podNetworkModes.includes(podNetwork)) problems.push(`network.podNetwork "${podNetwork}" must be one of ${podNetworkModes.join(', ')}`);
  if (!Number.isInteger(grace) || grace < 1) problems.push(`nodeMonitorGracePeriodSeconds must be a whole number of seconds from 1, got ${grace}`);
  if (spec.otlpEndpoint !== undefined && !/^https?:$/.test(protocolOf(spec.otlpEndpoint)))
    problems.push(`otlpEndpoint "${spec.otlpEndpoint}" is not a URL such as http://collector:4318/v1/logs`);
  for (const name of spec.without ?? [])
    if (!replaceableComponents.includes(name)) problems.push(`without "${name}": must be one of ${replaceableComponents.join(', ')}`);
  const nodeIP = spec.nodeIP ?? (hosts.length > 0 ? hostNetwork.gateway : detectNodeIP());
  if (nodeIP === undefined) problems.push('nodeIP is not given, and this machine has no address besides loopback');
  if (problems.length > 0 || !services || nodeIP === undefined) throw new ClusterSpecError(problems);

  return {
    name: spec.name,
    index,
    nodeName: spec.nodeName ?? hostname().toLowerCase(),
    nodeIP,
    runtime: spec.runtime ?? DEFAULT_RUNTIME,
    proxyMode: spec.proxyMode ?? 'nftables',
    networkPolicy: spec.networkPolicy ?? true,
    metricsServer: spec.metricsServer ?? true,
    without: spec.without ?? [],
    ...(spec.otlpEndpoint === undefined ? {} : { otlpEndpoint: spec.otlpEndpoint }),
    podCIDR,
    serviceCIDR,
    clusterDomain: spec.network?.clusterDomain ?? 'cluster.local',
    apiServiceIP: addressAt(services, 1),
    dnsIP: addressAt(services, 10),
    nodePortRange: { from: 30000 - 3000 * index, to: 32767 - 3000 * index },
    bridge: index === 0 ? 'cox0' : `cox${index}`,
    ports: { ...defaultPorts(index), ...spec.ports },
    ...(spec.cloud
      ? {
          cloud: {
            csiDriver: spec.cloud.csiDriver ?? 'local.csi.coxswain.dev',
            loadBalancerPool: spec.cloud.loadBalancerPool ?? `10.${200 + index}.0.0/24`,
            link: loadBalancerLink(index),
          },
        }
      : {}),
    paths: clusterPaths(spec.name, spec.stateDir, spec.runDir),
    nodeMonitorGracePeriodSeconds: grace,
    podNetwork,
    hostNetwork,
    hosts,
    ...(spec.etcd ? { etcd: { kind: 'external', ...spec.etcd } } : hosts.filter((host) => host.controlPlane).length > 1 ? { etcd: { kind: 'stacked' } } : {}),
  };
}

/** Empty when it is no URL. */
function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}

/** Of every cluster, also of one that has no cloud any more, so that it is found by its name. */
export function loadBalancerLink(index: number): string {
  return `cox${index}-lb`;
}

/** Kubernetes' usual ports, moved by 100 for each further cluster of the machine (the API server by 1, as people expect). */
export function defaultPorts(index: number): ClusterPorts {
  const by = 100 * index;
  return {
    apiServer: 6443 + index,
    kubelet: 10250 + by,
    kubeletHealth: 10248 + by,
    scheduler: 10259 + by,
    controllerManager: 10257 + by,
    cloudControllerManager: 10258 + by,
    proxyHealth: 10256 + by,
    proxyMetrics: 10249 + by,
    dns: 10053 + by,
    dnsHealth: 10054 + by,
    dashboard: 10443 + by,
    logging: 10261 + by,
  };
}

/** Where a cluster keeps its things. `COXSWAIN_STATE_DIR` and `COXSWAIN_RUN_DIR` move all clusters, for tests. */
export function clusterPaths(name: string, stateDir?: string, runDir?: string): ClusterPaths {
  const state = stateDir ?? join(stateRoot(), name);
  const run = runDir ?? join(runRoot(), name);
  return {
    state,
    run,
    config: join(state, 'cluster.json'),
    pki: join(state, 'pki'),
    store: join(state, 'store'),
    etcd: join(state, 'etcd'),
    kubelet: join(state, 'kubelet'),
    podLogs: join(state, 'log', 'pods'),
    containerLogs: join(state, 'log', 'containers'),
    logs: join(state, 'log'),
    cniConf: join(state, 'cni', 'net.d'),
    ipam: join(run, 'ipam'),
    cri: join(state, 'cri'),
    criRun: join(run, 'cri'),
    criSocket: join(run, 'cri.sock'),
    etcdSocket: join(run, 'etcd.sock'),
    cloud: join(state, 'cloud'),
    csiControllerSocket: join(run, 'csi-controller.sock'),
    containerdRoot: join(state, 'containerd'),
    containerdState: join(run, 'containerd'),
    containerdSocket: join(run, 'containerd.sock'),
    adminKubeconfig: join(state, 'admin.kubeconfig'),
    nodeKubeconfig: join(state, 'kubelet.kubeconfig'),
  };
}

export function stateRoot(): string {
  return resolve(process.env['COXSWAIN_STATE_DIR'] ?? '/var/lib/coxswain');
}

export function runRoot(): string {
  return resolve(process.env['COXSWAIN_RUN_DIR'] ?? '/run/coxswain');
}

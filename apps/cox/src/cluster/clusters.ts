import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ClusterConfig,
  ClusterSpecError,
  clusterPaths,
  DEFAULT_RUNTIME,
  MAX_CLUSTERS,
  type ProxyMode,
  resolveClusterSpec,
  stateRoot,
} from '@coxswain/cluster';
import { CliError } from '../cli-error.js';
import { writeFileAtomic } from '../process/write-file.js';

/** Names of the clusters this machine knows, running or not. */
export function knownClusters(): string[] {
  if (!existsSync(stateRoot())) return [];
  return readdirSync(stateRoot()).filter((name) => existsSync(join(stateRoot(), name, 'cluster.json')));
}

/** The saved description of a cluster; undefined when there is none. */
export function loadCluster(name: string): ClusterConfig | undefined {
  const file = clusterPaths(name).config;
  if (!existsSync(file)) return undefined;
  try {
    // Descriptions from before there was a choice do not say what was chosen.
    const unsaid = { runtime: DEFAULT_RUNTIME, proxyMode: 'nftables', networkPolicy: true } as const;
    return { ...unsaid, ...(JSON.parse(readFileSync(file, 'utf8')) as Omit<ClusterConfig, keyof typeof unsaid>) };
  } catch (error) {
    throw new CliError(
      `${file} is not readable as JSON: ${(error as Error).message}`,
      `restore the file, or remove the cluster with: cox down --name ${name} --purge`,
    );
  }
}

export function requireCluster(name: string): ClusterConfig {
  const config = loadCluster(name);
  if (config) return config;
  const others = knownClusters();
  throw new CliError(
    `there is no cluster named "${name}"`,
    others.length > 0 ? `this machine has: ${others.join(', ')} (choose with --name)` : 'make one with: cox up',
  );
}

export interface ClusterRequest {
  readonly name: string;
  readonly nodeIP: string;
  readonly nodeName?: string;
  /** The runtime's name; for a new cluster decided, not `auto`. */
  readonly runtime: string;
  readonly proxyMode?: ProxyMode;
  readonly networkPolicy?: boolean;
  readonly podCIDR?: string;
  readonly serviceCIDR?: string;
  readonly apiPort?: number;
  readonly cloud: boolean;
  readonly loadBalancerPool?: string;
}

/** The cluster as saved by an earlier `up`, or a new one with the first free index; saved before anything is started. */
export function loadOrCreateCluster(request: ClusterRequest): { config: ClusterConfig; created: boolean } {
  const saved = loadCluster(request.name);
  if (saved) {
    refuseChange('--pod-cidr', request.podCIDR, saved.podCIDR, saved.name);
    refuseChange('--service-cidr', request.serviceCIDR, saved.serviceCIDR, saved.name);
    refuseChange('--api-port', request.apiPort, saved.ports.apiServer, saved.name);
    refuseChange('--node-name', request.nodeName, saved.nodeName, saved.name);
    refuseChange('--runtime', request.runtime, saved.runtime, saved.name);
    refuseChange('--proxy-mode', request.proxyMode, saved.proxyMode, saved.name);
    refuseChange('--network-policy', request.networkPolicy, saved.networkPolicy, saved.name);
    refuseChange('--load-balancer-pool', request.loadBalancerPool, saved.cloud?.loadBalancerPool ?? 'no cloud', saved.name);
    if (!request.cloud) refuseChange('--no-cloud', '', saved.cloud ? 'having a cloud' : '', saved.name);
    // The machine may have got another address since.
    const config = { ...saved, nodeIP: request.nodeIP };
    if (saved.nodeIP !== request.nodeIP) writeFileAtomic(saved.paths.config, `${JSON.stringify(config, undefined, 2)}\n`);
    return { config, created: false };
  }
  const used = new Set(knownClusters().map((name) => loadCluster(name)?.index));
  const index = wantedIndex() ?? Array.from({ length: MAX_CLUSTERS }, (_, i) => i).find((i) => !used.has(i));
  if (index === undefined) throw new CliError(`this machine has ${MAX_CLUSTERS} clusters already`, `remove one with: cox down --name NAME --purge`);
  try {
    const config = resolveClusterSpec({
      name: request.name,
      index,
      nodeIP: request.nodeIP,
      runtime: request.runtime,
      ...(request.proxyMode === undefined ? {} : { proxyMode: request.proxyMode }),
      ...(request.networkPolicy === undefined ? {} : { networkPolicy: request.networkPolicy }),
      ...(request.nodeName === undefined ? {} : { nodeName: request.nodeName }),
      network: {
        ...(request.podCIDR === undefined ? {} : { podCIDR: request.podCIDR }),
        ...(request.serviceCIDR === undefined ? {} : { serviceCIDR: request.serviceCIDR }),
      },
      ...(request.apiPort === undefined ? {} : { ports: { apiServer: request.apiPort } }),
      ...(request.cloud ? { cloud: request.loadBalancerPool === undefined ? {} : { loadBalancerPool: request.loadBalancerPool } } : {}),
    });
    writeFileAtomic(config.paths.config, `${JSON.stringify(config, undefined, 2)}\n`);
    return { config, created: true };
  } catch (error) {
    if (error instanceof ClusterSpecError) throw new CliError(error.message, undefined, 2);
    throw error;
  }
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

import { mkdirSync, rmSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { AddressPool, InstanceRegistry } from '@coxswain/cloud-local';
import { type ClusterConfig, clusterPki, detectNodeIP, type ProxyMode, writeComponentKubeconfigs } from '@coxswain/cluster';
import { isAlive } from '@coxswain/linux';
import { PkiError } from '@coxswain/pki';
import { CliError } from '../cli-error.js';
import { loadCluster, loadOrCreateCluster } from '../cluster/clusters.js';
import { contextName, mergeKubeconfig } from '../cluster/kubeconfig.js';
import { logFile, type OwnRole, pidFile, rolesOf, runningRoles } from '../cluster/processes.js';
import { waitForDns, waitForNode } from '../cluster/wait-ready.js';
import type { LogLevel } from '../logger.js';
import { checkIptables, checkPort } from '../preflight/checks.js';
import { writePidFile } from '../process/pid-file.js';
import { spawnRole } from '../process/spawn-role.js';
import { stopProcess } from '../process/stop-process.js';
import { AUTO, chooseRuntime, runtimeOf } from '../runtimes/registry.js';
import type { NodeRuntime } from '../runtimes/runtime.js';
import { Steps } from '../ui/steps.js';
import { basicChecks, machineChecks, requireAll } from './doctor.js';
import { down } from './down.js';

export interface UpOptions {
  readonly name: string;
  readonly foreground: boolean;
  readonly nodeIp?: string;
  readonly nodeName?: string;
  /** A runtime's name, or `auto`. */
  readonly runtime: string;
  readonly proxyMode?: ProxyMode;
  readonly networkPolicy?: boolean;
  readonly podCidr?: string;
  readonly serviceCidr?: string;
  readonly apiPort?: number;
  readonly loadBalancerPool?: string;
  readonly cloud: boolean;
  readonly kubeconfig: boolean;
  readonly logLevel: LogLevel;
}

const NODE_TIMEOUT_MS = 60_000;
const DNS_TIMEOUT_MS = 30_000;

/** `cox up`: start whatever of the cluster does not run; return when the node is Ready and DNS answers. */
export async function up(options: UpOptions): Promise<void> {
  const steps = new Steps();
  const { config, created } = await steps.run('checking the machine', () => prepare(options));
  const runtime = runtimeOf(config);
  steps.note(`runtime ${runtime.name}: ${runtime.description}${created && options.runtime === AUTO ? ' (found on this machine; choose with --runtime)' : ''}`);
  const running = runningRoles(config);
  const roles = rolesOf(config);
  const startedHere: string[] = [];
  try {
    // What takes time by itself runs side by side: the runtime's daemons beside the certificates, the node beside the control plane.
    const daemons = startDaemons(config, runtime, running);
    daemons.catch(() => {});
    startedHere.push(...roles.filter((role) => !running.has(role)));
    await steps.run('preparing certificates', () => preparePki(config));
    if (runtime.daemons.length > 0) await steps.run(`starting ${runtime.daemons.map(({ name }) => name).join(' and ')}`, () => daemons);
    await steps.run('starting control plane and node', async (say) => {
      const failed = new AbortController();
      const start = async (role: OwnRole) => {
        if (running.has(role)) return;
        try {
          await startRole(config, role, options, say, failed.signal);
        } catch (error) {
          // The other one would wait for it in vain; that it was stopped is no news.
          if (failed.signal.aborted) return;
          failed.abort(error);
          throw error;
        }
      };
      await all([start('control-plane'), start('node')]);
    });
    await steps.run('waiting for the node to be Ready', (say) => waitForNode(config, NODE_TIMEOUT_MS, say));
    await steps.run('waiting for cluster DNS', () => waitForDns(config, DNS_TIMEOUT_MS));
  } catch (error) {
    await stopWhatStarted(config, startedHere);
    throw error;
  }
  if (options.kubeconfig) {
    const file = await steps.run('merging the kubeconfig', async () => mergeKubeconfig(config));
    steps.done(`cluster "${config.name}" is up; context ${contextName(config)} is current in ${file}\n\n  kubectl get nodes\n  kubectl get pods -A\n`);
  } else {
    steps.done(`cluster "${config.name}" is up; its kubeconfig: cox kubeconfig --name ${config.name}`);
  }
  if (options.foreground) await stayInForeground(config);
}

async function prepare(options: UpOptions): Promise<{ config: ClusterConfig; created: boolean }> {
  requireAll(basicChecks());
  // A cluster keeps the runtime it was made with, whatever the machine has got since.
  const saved = loadCluster(options.name);
  const runtime = saved && options.runtime === AUTO ? runtimeOf(saved) : chooseRuntime(options.runtime);
  requireAll(await machineChecks(runtime));
  if (options.nodeIp !== undefined && !isIPv4(options.nodeIp)) throw new CliError(`--node-ip ${options.nodeIp} is not an IPv4 address`, undefined, 2);
  const nodeIP = options.nodeIp ?? detectNodeIP();
  if (nodeIP === undefined) throw new CliError('this machine has no address besides loopback', 'give one with --node-ip');
  const { name, nodeName, podCidr, serviceCidr, apiPort, proxyMode = saved?.proxyMode, networkPolicy, cloud, loadBalancerPool } = options;
  if (proxyMode === 'iptables') requireAll([checkIptables()]);
  if (!cloud && loadBalancerPool !== undefined) throw new CliError('--load-balancer-pool and --no-cloud exclude each other', 'leave one of them out', 2);
  if (loadBalancerPool !== undefined) checkPool(loadBalancerPool);
  const known = loadOrCreateCluster({
    name,
    nodeIP,
    runtime: runtime.name,
    ...(proxyMode === undefined ? {} : { proxyMode }),
    ...(networkPolicy === undefined ? {} : { networkPolicy }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(podCidr === undefined ? {} : { podCIDR: podCidr }),
    ...(serviceCidr === undefined ? {} : { serviceCIDR: serviceCidr }),
    ...(apiPort === undefined ? {} : { apiPort }),
    ...(loadBalancerPool === undefined ? {} : { loadBalancerPool }),
    cloud,
  });
  try {
    await requireFree(known.config);
  } catch (error) {
    if (known.created) rmSync(known.config.paths.state, { recursive: true, force: true });
    throw error;
  }
  await registerHost(known.config);
  return known;
}

function checkPool(pool: string): void {
  try {
    new AddressPool(pool);
  } catch (error) {
    throw new CliError(`--load-balancer-pool ${(error as Error).message}`, undefined, 2);
  }
}

/** This machine is an instance of the cluster's cloud: without that, its node would stay uninitialised. */
async function registerHost({ cloud, paths, nodeName, nodeIP }: ClusterConfig): Promise<void> {
  if (!cloud) return;
  const addresses = [
    { type: 'InternalIP', address: nodeIP },
    { type: 'Hostname', address: nodeName },
  ] as const;
  await new InstanceRegistry(paths.cloud).save({ name: nodeName, addresses });
}

/** Refuse a second `up` of a cluster that runs, and ports that somebody else has. */
async function requireFree(config: ClusterConfig): Promise<void> {
  const running = runningRoles(config);
  if (running.size === rolesOf(config).length) {
    throw new CliError(
      `cluster "${config.name}" is running already`,
      `look at it with: cox status --name ${config.name}; make another with: cox up --name OTHER`,
    );
  }
  const { ports } = config;
  const wanted = [
    ...(running.has('control-plane')
      ? []
      : [
          checkPort(ports.apiServer, 'API server', '--api-port'),
          checkPort(ports.scheduler, 'scheduler'),
          checkPort(ports.controllerManager, 'controller manager'),
          ...(config.cloud ? [checkPort(ports.cloudControllerManager, 'cloud controller manager')] : []),
        ]),
    ...(running.has('node') ? [] : [checkPort(ports.kubelet, 'kubelet'), checkPort(ports.proxyHealth, 'proxy health'), checkPort(ports.dns, 'cluster DNS')]),
  ];
  requireAll(await Promise.all(wanted));
}

async function preparePki(config: ClusterConfig): Promise<void> {
  mkdirSync(config.paths.run, { recursive: true, mode: 0o711 });
  try {
    writeComponentKubeconfigs(config, await clusterPki(config, Date.now()));
  } catch (error) {
    if (error instanceof PkiError) throw new CliError(error.message);
    throw error;
  }
}

/** One after the other: a daemon may need the one before. */
async function startDaemons(config: ClusterConfig, runtime: NodeRuntime, running: ReadonlyMap<string, unknown>): Promise<void> {
  for (const daemon of runtime.daemons) {
    if (running.has(daemon.name)) continue;
    const { pid } = await daemon.start(config);
    writePidFile(pidFile(config, daemon.name), pid);
  }
}

async function startRole(config: ClusterConfig, role: OwnRole, options: UpOptions, say: (detail: string) => void, signal: AbortSignal): Promise<void> {
  const process = {
    name: role,
    args: [`run-${role}`, '--name', config.name, '--log-level', options.logLevel],
    logFile: logFile(config, role),
    pidFile: pidFile(config, role),
    onStep: (text: string) => say(`${role}: ${text}`),
    execArgv: nodeArguments(options.logLevel),
  };
  await spawnRole(process, signal);
}

/**
 * Source maps cost memory, and time at every error's first look at its stack: only who debugs pays. `COXSWAIN_NODE_ARGS` is for
 * profiling (`--cpu-prof --cpu-prof-dir=…`).
 */
function nodeArguments(logLevel: LogLevel): string[] {
  const extra = process.env['COXSWAIN_NODE_ARGS']?.split(' ').filter(Boolean) ?? [];
  return [...(logLevel === 'debug' ? ['--enable-source-maps'] : []), ...extra];
}

/** All are awaited, so that nothing goes on behind the back of an error. */
async function all(parts: readonly Promise<void>[]): Promise<void> {
  const failures = (await Promise.allSettled(parts)).filter((r) => r.status === 'rejected').map((r) => r.reason as Error);
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, failures.map((f) => f.message).join('\n'));
}

async function stopWhatStarted(config: ClusterConfig, started: readonly string[]): Promise<void> {
  const running = runningRoles(config);
  for (const role of [...started].reverse()) {
    const process = running.get(role);
    if (process) await stopProcess(process, 5000);
  }
}

async function stayInForeground(config: ClusterConfig): Promise<void> {
  const all = rolesOf(config).length;
  await new Promise<void>((resolve) => {
    const watch = setInterval(() => {
      if ([...runningRoles(config).values()].filter(isAlive).length < all) {
        process.stderr.write('a process of the cluster ended; see: cox status\n');
        resolve();
      }
    }, 1000);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(clearInterval(watch)));
  });
  await down({ name: config.name, purge: false });
}

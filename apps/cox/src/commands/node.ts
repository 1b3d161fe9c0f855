import { spawn } from 'node:child_process';
import { type ClusterConfig, freeHostName, type HostConfig, hostLauncher, hostProblems, hostView, nextHost, nodeViews } from '@coxswain/cluster';
import { isNotFound } from '@coxswain/apimachinery';
import { CliError, type LogLevel } from '@coxswain/command';
import { adminApi } from '../cluster/admin-api.js';
import { requireCluster, saveCluster } from '../cluster/clusters.js';
import { forgetInstance, registerInstance } from '../cluster/instances.js';
import { changing } from '../cluster/one-at-a-time.js';
import { running } from '../cluster/processes.js';
import { waitForDns, waitForNode } from '../cluster/wait-ready.js';
import { drain } from '../node/drain.js';
import { AUTO } from '../runtimes/names.js';
import { chooseRuntime } from '../runtimes/registry.js';
import { makeHosts } from '../start/make-hosts.js';
import { preparePki } from '../start/prepare-pki.js';
import { runtimeOf } from '../runtimes/registry.js';
import { startDaemons, startRoles } from '../start/start-process.js';
import { hostTeardownSteps } from '../teardown/teardown.js';
import { Steps } from '../ui/steps.js';
import { table } from '../ui/table.js';
import { machineChecks, requireAll } from './doctor.js';

interface NodeOptions {
  readonly cluster: string;
}

/** `cox node list`: the hosts, also of a cluster that is down. */
export async function nodeList({ cluster }: NodeOptions): Promise<void> {
  const rows = nodeViews(requireCluster(cluster)).map((view) => [
    view.nodeName,
    view.nodeIP,
    (view.host?.controlPlane ?? true) ? 'control-plane' : '<none>',
    view.runtime,
    running(view, 'node') ? 'running' : 'stopped',
  ]);
  console.log(table(['NAME', 'ADDRESS', 'ROLES', 'RUNTIME', 'STATUS'], rows));
}

export interface NodeAddOptions extends NodeOptions {
  readonly runtime: string;
  readonly logLevel: LogLevel;
}

/** `cox node add`: one more host. When it does not become Ready, nothing of it is left. */
export function nodeAdd(name: string | undefined, options: NodeAddOptions): Promise<void> {
  return changing(options.cluster, 'node add', () => add(name, options));
}

async function add(name: string | undefined, options: NodeAddOptions): Promise<void> {
  const before = requireHosts(options.cluster);
  requireUp(before);
  const runtime = options.runtime === AUTO ? before.runtime : options.runtime;
  requireAll(await machineChecks(chooseRuntime(runtime)));
  if (before.hosts.some((host) => host.name === name))
    throw new CliError(`cluster "${before.name}" has a host "${name}" already`, 'choose another name, or leave it out', 2);
  const host = nextHost({ name: name ?? freeHostName(before.hosts), runtime }, before.hosts, before.hostNetwork, before.runtime);
  const config = { ...before, hosts: [...before.hosts, host] };
  const problems = hostProblems(config);
  if (problems.length > 0) throw new CliError(problems.join('; '), undefined, 2);
  const view = hostView(config, host);
  const steps = new Steps();
  // Saved first: whatever is made from here on is found again by `node remove` and `down`.
  saveCluster(config);
  try {
    await steps.run('preparing certificates', () => preparePki(config, [view]));
    await registerInstance(view);
    await steps.run('making the host', () => makeHosts(config, [view]));
    if (runtimeOf(view).daemons.length > 0) await steps.run(`starting ${runtime}`, () => startDaemons(view));
    await steps.run('starting the node', (say) => startRoles([{ view, role: 'node' }], { logLevel: options.logLevel, say }));
    await steps.run('waiting for the node to be Ready', (say) => waitForNode(config, view, say));
    await steps.run('waiting for cluster DNS', () => waitForDns(view));
  } catch (error) {
    await removeAll(config, view, host, steps).catch((reason: unknown) => steps.note((reason as Error).message));
    throw error;
  }
  steps.done(`node ${host.name} (${host.ip}) is part of cluster "${config.name}"`);
}

export interface NodeRemoveOptions extends NodeOptions {
  readonly drainTimeout: number;
  readonly force: boolean;
}

/** `cox node remove`: its pods move away, then the host, its data and its Node go. */
export function nodeRemove(name: string, options: NodeRemoveOptions): Promise<void> {
  return changing(options.cluster, 'node remove', () => remove(name, options));
}

async function remove(name: string, options: NodeRemoveOptions): Promise<void> {
  const config = requireHosts(options.cluster);
  const { host, view } = requireHost(config, name);
  if (host.controlPlane)
    throw new CliError(
      `${name} runs the control plane of cluster "${config.name}"`,
      `remove the whole cluster with: cox down --name ${config.name} --purge`,
      2,
    );
  const steps = new Steps();
  try {
    await steps.run('moving its pods away', (say) => drain(config, name, options.drainTimeout * 1000, say));
  } catch (error) {
    if (!options.force) throw new CliError(`pods of ${name} did not go: ${(error as Error).message}`, 'try again, or remove it all the same with --force');
    steps.note(`going on without: ${(error as Error).message}`);
  }
  await removeAll(config, view, host, steps);
  steps.done(`node ${name} is gone`);
}

async function removeAll(config: ClusterConfig, view: ClusterConfig, host: HostConfig, steps: Steps): Promise<void> {
  for (const step of hostTeardownSteps(view, host)) await steps.run(step.title, () => step.run());
  await steps.run('removing the Node', () => deleteNode(config, host.name));
  await forgetInstance(view);
  const now = requireCluster(config.name);
  saveCluster({ ...now, hosts: now.hosts.filter(({ name }) => name !== host.name) });
}

async function deleteNode(config: ClusterConfig, name: string): Promise<void> {
  const { client, close } = adminApi(config);
  try {
    await client.api.nodes().delete(name, { signal: AbortSignal.timeout(10_000) });
  } catch (error) {
    if (!isNotFound(error))
      throw new CliError(`the Node ${name} could not be deleted: ${(error as Error).message}`, `delete it with: kubectl delete node ${name}`);
  } finally {
    await close();
  }
}

/** `cox node exec`: like `docker exec` on a machine in a container: in the host's network, under its name, with this machine's files. */
export async function nodeExec(name: string, command: readonly string[], { cluster }: NodeOptions): Promise<void> {
  const { view } = requireHost(requireHosts(cluster), name);
  const [program = '', ...args] = [...hostLauncher(view), ...command.slice(command[0] === '--' ? 1 : 0)];
  const code = await new Promise<number>((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? (signal ? 128 : 1)));
  });
  process.exit(code);
}

function requireHosts(cluster: string): ClusterConfig {
  const config = requireCluster(cluster);
  if (config.hosts.length > 0) return config;
  throw new CliError(
    `the one node of cluster "${cluster}" is this machine itself, which no host can be put beside`,
    'make a cluster of hosts with: cox up --name OTHER --nodes 2',
    2,
  );
}

function requireHost(config: ClusterConfig, name: string): { host: HostConfig; view: ClusterConfig } {
  const host = config.hosts.find((each) => each.name === name);
  if (host) return { host, view: hostView(config, host) };
  throw new CliError(`cluster "${config.name}" has no host "${name}"`, `it has: ${config.hosts.map((each) => each.name).join(', ')}`, 2);
}

function requireUp(config: ClusterConfig): void {
  if (running(config, 'load-balancer')) return;
  throw new CliError(`cluster "${config.name}" is not running`, `start it with: cox up --name ${config.name}`);
}

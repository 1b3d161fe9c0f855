import { type ClusterConfig, nodeViews, prepareRunDir } from '@coxswain/cluster';
import { contextName, mergeKubeconfig } from '../cluster/kubeconfig.js';
import { changing } from '../cluster/one-at-a-time.js';
import { type OwnRole, ownRoles } from '../cluster/own-roles.js';
import { noteUp } from '../cluster/last-up.js';
import { processesOf, running, supervisionOf } from '../cluster/processes.js';
import { waitForDns, waitForNode } from '../cluster/wait-ready.js';
import { AUTO } from '../runtimes/names.js';
import { runtimeOf } from '../runtimes/registry.js';
import { startEtcd } from '../start/start-etcd.js';
import { makeHosts } from '../start/make-hosts.js';
import { preparePki } from '../start/prepare-pki.js';
import { all, startDaemons, startRoles } from '../start/start-process.js';
import { stopSupervised } from '../supervise/stop-supervised.js';
import { release, supervisorOf } from '../supervise/supervision.js';
import { Steps } from '../ui/steps.js';
import { down } from './down.js';
import { prepareCluster, type UpOptions } from './prepare-cluster.js';

/** `cox up`: start whatever of the cluster does not run; return when every node is Ready and DNS answers. */
export async function up(options: UpOptions): Promise<void> {
  const config = await changing(options.name, 'up', () => start(options));
  if (options.foreground) await stayInForeground(config);
}

async function start(options: UpOptions): Promise<ClusterConfig> {
  const steps = new Steps();
  const { config, created } = await steps.run('checking the machine', () => prepareCluster(options));
  await prepareRunDir(config);
  noteRuntimes(steps, config, created && options.runtime.includes(AUTO));
  const nodes = nodeViews(config);
  const missing = processesOf(config).filter(({ view, role }) => !running(view, role));
  // What runs may have lost its supervisor.
  for (const each of processesOf(config)) if (!missing.some(({ name }) => name === each.name)) release(supervisionOf(each.view, each.role));
  const several = config.hosts.length > 0;
  try {
    // What takes time by itself runs side by side: the runtime's daemons beside the certificates, the nodes beside the control plane.
    const daemons = makeHosts(config, nodes).then(() => all(nodes.map(startDaemons)));
    daemons.catch(() => {});
    await steps.run('preparing certificates', () => preparePki(config, nodes));
    const names = [...new Set(nodes.flatMap((view) => runtimeOf(view).daemons.map(({ name }) => name)))];
    const beneath = [...(several ? ['making hosts'] : []), ...(names.length > 0 ? [`starting ${names.join(' and ')}`] : [])];
    if (beneath.length > 0) await steps.run(beneath.join(', '), () => daemons);
    if (config.etcd?.kind === 'stacked') await steps.run('starting etcd', () => startEtcd(config));
    const roles = missing.flatMap(({ view, role }) => (isOwnRole(role) ? [{ view, role }] : []));
    // The first control plane makes what a new cluster begins with; the others find it there.
    const [first] = roles.filter(({ role }) => role === 'control-plane');
    const later = roles.filter((each) => each.role === 'control-plane' && each !== first);
    const { logLevel } = options;
    await steps.run(several ? 'starting control plane and nodes' : 'starting control plane and node', (say) =>
      startRoles(
        roles.filter((each) => !later.includes(each)),
        { logLevel, say },
      ),
    );
    if (later.length > 0) await steps.run('starting further control planes', (say) => startRoles(later, { logLevel, say }));
    // What cannot be before somebody else runs what was left out is not waited for: nodes want a part of the pod network, DNS a Service.
    const without = new Set(config.without);
    if (!without.has('controller-manager'))
      await steps.run(several ? 'waiting for the nodes to be Ready' : 'waiting for the node to be Ready', (say) => waitForNodes(config, nodes, say));
    if (!without.has('controller-manager') && !without.has('kube-proxy'))
      await steps.run('waiting for cluster DNS', () => all(nodes.map((view) => waitForDns(view))));
  } catch (error) {
    // Who was started last knows the others.
    for (const { view, role } of [...missing].reverse()) await stopSupervised(supervisionOf(view, role), 5000);
    throw error;
  }
  if (options.kubeconfig) {
    const file = await steps.run('merging the kubeconfig', async () => mergeKubeconfig(config));
    noteUp(config);
    steps.done(`cluster "${config.name}" is up; context ${contextName(config)} is current in ${file}\n\n  kubectl get nodes\n  kubectl get pods -A\n`);
  } else {
    noteUp(config);
    steps.done(`cluster "${config.name}" is up; its kubeconfig: cox kubeconfig --name ${config.name}`);
  }
  return config;
}

function isOwnRole(role: string): role is OwnRole {
  return (ownRoles as readonly string[]).includes(role);
}

function noteRuntimes(steps: Steps, config: ClusterConfig, found: boolean): void {
  for (const runtime of new Set(nodeViews(config).map(runtimeOf))) {
    const nodes = nodeViews(config).filter((view) => runtimeOf(view) === runtime);
    const where = config.hosts.length > 0 && nodes.length < config.hosts.length ? ` (${nodes.map(({ nodeName }) => nodeName).join(', ')})` : '';
    steps.note(`runtime ${runtime.name}: ${runtime.description}${where}${found ? ' (found on this machine; choose with --runtime)' : ''}`);
  }
}

async function waitForNodes(config: ClusterConfig, nodes: readonly ClusterConfig[], say: (detail: string) => void): Promise<void> {
  await all(nodes.map((view) => waitForNode(config, view, config.hosts.length > 0 ? (detail) => say(`${view.nodeName}: ${detail}`) : say)));
}

async function stayInForeground(config: ClusterConfig): Promise<void> {
  const left = () => processesOf(config).find(({ view, role }) => !running(view, role) && !supervisorOf(supervisionOf(view, role)));
  await new Promise<void>((resolve) => {
    const watch = setInterval(() => {
      const ended = left();
      if (!ended) return;
      process.stderr.write(`${ended.name} ended and is not started again; see: cox logs ${ended.name} --name ${config.name}\n`);
      clearInterval(watch);
      resolve();
    }, 1000);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(clearInterval(watch)));
  });
  await down({ name: config.name, purge: false });
}

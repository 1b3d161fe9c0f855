import type { KubeClient } from '@coxswain/client';
import { component, type ComponentRecipe, createHost, type Host, type HostState } from '@coxswain/host';
import { type ClusterPki, kubeconfigYaml } from '@coxswain/pki';
import { type Clock, type Component, CriServer, Logger, type PluginUse, type Random, silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import type { Observable } from 'rxjs';
import { addonContext, addonContextModule } from './addon-context.js';
import { clientFor } from './api-access.js';
import { apiServerRuntimeModule } from './api-server-runtime-module.js';
import type { ClusterConfig, ClusterSpec } from './cluster-spec.js';
import { adminEntry, writeComponentKubeconfigs } from './component-kubeconfigs.js';
import { controlPlaneComponents } from './control-plane-host.js';
import { removeLeftovers } from './leftovers.js';
import { nodeComponents } from './node-host.js';
import { clusterPki } from './pki.js';
import { prepareRunDir } from './run-dir.js';
import { podSweeper } from './pod-sweeper.js';
import { requireFreePorts } from './require-free.js';
import { ClusterSpecError, resolveClusterSpec } from './resolve-spec.js';
import { waitForNode } from './wait-for-node.js';

export interface RunClusterOptions {
  readonly spec: ClusterSpec;
  /** Must bind `StateStore`, `CriServer` and `ServiceProxy`; may bind anything else that is pluggable. */
  readonly plugins: (config: ClusterConfig) => readonly PluginUse[];
  /** What plugins rely on but do not bring, such as a containerd: started before everything else, stopped after. */
  readonly daemons?: (config: ClusterConfig) => readonly Component[];
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  /** How long the node may take to become Ready. Default 60 s. */
  readonly readyTimeoutMs?: number;
  /** Gives up starting. */
  readonly signal?: AbortSignal;
}

/** A whole cluster in this process. Its pods end with it. */
export interface RunningCluster extends AsyncDisposable {
  readonly config: ClusterConfig;
  /** The administrator's, as text; the current context is `cox-<name>`. */
  readonly kubeconfig: string;
  /** Talks to the API server as the administrator. */
  readonly client: KubeClient;
  /** The states of all components by name. */
  readonly state$: Observable<HostState>;
  /** Ends pods and components and takes everything off the machine but the state folder. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Run the cluster a spec describes, control plane and node in this process, from the plugins given. Resolves when the node is
 * Ready. When something fails to start, rejects with its error once everything that had started is gone again. `ClusterConflictError` when another cluster has its ports.
 */
export async function runCluster(options: RunClusterOptions): Promise<RunningCluster> {
  const { clock = systemClock, random = systemRandom, logger = silentLogger } = options;
  const config = resolveClusterSpec(options.spec);
  if (config.hosts.length > 0)
    throw new ClusterSpecError(['hosts need processes of their own, and runCluster is one process; leave hosts out, or start them as `cox up --nodes` does']);
  await requireFreePorts(config);
  await prepareRunDir(config);
  const pki = await clusterPki(config, clock.now());
  writeComponentKubeconfigs(config, pki);
  const host = await createHost({
    plugins: options.plugins(config),
    modules: [addonContextModule(addonContext(config)), apiServerRuntimeModule()],
    components: recipes(config, pki, options.daemons?.(config) ?? []),
    clock,
    random,
    logger,
  });
  const cluster = new InProcessCluster(config, pki, host, clock);
  try {
    await host.start(options.signal);
    const { signal, readyTimeoutMs: timeoutMs = 60_000 } = options;
    await waitForNode({ client: cluster.client, nodeName: config.nodeName, clock, timeoutMs, ...(signal ? { signal } : {}) });
  } catch (error) {
    const failures = await cluster.stop().then(
      () => [],
      (reason: unknown) => [reason],
    );
    throw failures.length === 0 ? error : new AggregateError([error, ...failures], (error as Error).message);
  }
  return cluster;
}

class InProcessCluster implements RunningCluster {
  readonly client: KubeClient;
  readonly kubeconfig: string;
  readonly state$: Observable<HostState>;
  #stopping: Promise<void> | undefined;

  constructor(
    readonly config: ClusterConfig,
    pki: ClusterPki,
    readonly host: Host,
    readonly clock: Clock,
  ) {
    this.client = clientFor(config, pki, pki.leaf.admin, 'coxswain', clock);
    this.kubeconfig = kubeconfigYaml(adminEntry(config, pki));
    this.state$ = host.state$;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.client.close();
    try {
      await this.host.stop();
    } finally {
      await removeLeftovers(this.config, this.clock);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Daemons → control plane and CRI server → the node's other components, so that each finds whom it asks. */
function recipes(config: ClusterConfig, pki: ClusterPki, daemons: readonly Component[]): ComponentRecipe[] {
  const after = (recipe: ComponentRecipe, ...names: string[]): ComponentRecipe => ({ ...recipe, after: [...recipe.after, ...names] });
  const daemonNames = daemons.map(({ name }) => name);
  return [
    ...daemons.map((daemon) => component(daemon.name, [], () => daemon)),
    ...controlPlaneComponents(config, pki).map((recipe) => after(recipe, ...daemonNames)),
    component('pod-sweeper', [CriServer, Logger], podSweeper, { after: ['cri'] }),
    ...nodeComponents(config, pki).map((recipe) => (recipe.name === 'cri' ? after(recipe, ...daemonNames) : after(recipe, 'apiserver', 'pod-sweeper'))),
  ];
}

import type { Node } from '@coxswain/api';
import { InformerFactory, type KubeClient, Resources } from '@coxswain/client';
import { buildController, watchMapped } from '@coxswain/controller';
import { type Addon, type Clock, type Component, ComponentStateCell, type Logger, type Random } from '@coxswain/sdk';
import { networkAddress } from './cidr.js';
import { removeConflist, writeConflist } from './cni-config.js';
import { type NodeFacts, nodeFacts, sameFacts } from './facts.js';
import { Kernel, type KernelOptions } from './kernel.js';
import { announce } from './node-status.js';
import { type Mode, type Plan, planPaths, podMtu } from './plan.js';

export interface PodNetworkOptions extends KernelOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The node this is. */
  readonly nodeName: string;
  readonly mode: Mode;
  /** Name of the network in the CNI configuration. */
  readonly network: string;
  /** Name of the bridge that the node's pods are ports of. */
  readonly bridge: string;
  readonly cniConfDir: string;
  /** Take everything away when it stops. Default false: pods go on while this restarts. */
  readonly cleanupOnStop?: boolean;
}

/** Looked at again although no Node changed: the kernel forgets routes over a link that goes down, and people remove things. */
const RESYNC_MS = 5000;
/** Rules are written again more rarely: that takes a process. */
const RULES_EVERY = 12;
const KEY = 'pod-network';

/**
 * The network of a node's pods, and their ways to those of other nodes. It watches Nodes; every change leads to one look at all of them
 * and at the kernel, and to what differs being set right.
 */
export class PodNetwork implements Addon {
  readonly name = 'sdn-vxlan';
  readonly endpoints: Readonly<Record<string, string>> = {};
  readonly #cell = new ComponentStateCell();
  readonly state$: Addon['state$'] = this.#cell.state$;
  readonly #kernel: Kernel;
  #controller: Component | undefined;
  #informers: InformerFactory | undefined;
  #rounds = 0;
  #told = '';

  constructor(readonly options: PodNetworkOptions) {
    this.#kernel = new Kernel(options);
  }

  /** Resolves once all Nodes are known; the node's own may register later. */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#controller) return;
    const { client, clock, random, logger } = this.options;
    this.#cell.set('starting');
    this.#informers = new InformerFactory({ client, clock, random, logger });
    const nodes = this.#informers.informer(Resources.nodes);
    const controller = buildController({
      name: this.name,
      clock,
      logger,
      watches: [watchMapped(nodes, () => KEY, { changed: (old, node) => !sameFacts(nodeFacts(old), nodeFacts(node)) })],
      begin: (queue) => {
        queue.add(KEY);
        return undefined;
      },
      reconcile: async (_, stopping) => {
        await this.#reconcile(nodes.lister.list(), stopping);
        return { requeueAfterMs: RESYNC_MS };
      },
    });
    try {
      await controller.start(signal);
    } catch (error) {
      await this.#informers.stop();
      this.#cell.set('failed', (error as Error).message);
      throw error;
    }
    this.#controller = controller;
    if (this.#cell.current.phase === 'starting') this.#cell.set('ready');
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const controller = this.#controller;
    this.#controller = undefined;
    if (!controller) return;
    this.#cell.set('stopping');
    await controller.stop(deadline);
    await this.#informers?.stop();
    if (this.options.cleanupOnStop) await this.cleanup();
    this.#cell.set('stopped');
  }

  /** Takes the node out of the pod network: tunnel, routes, rules, CNI configuration. Needs no API server. Idempotent. */
  async cleanup(): Promise<void> {
    await this.#kernel.cleanup();
    await removeConflist(this.options.cniConfDir);
  }

  async #reconcile(nodes: readonly Node[], signal: AbortSignal): Promise<void> {
    try {
      const problem = await this.#makeItSo(nodes, signal);
      if (problem === undefined) this.#cell.set('ready');
      else this.#cell.set('degraded', problem);
    } catch (error) {
      if (!signal.aborted) this.#cell.set('degraded', (error as Error).message);
      throw error;
    }
  }

  /** Returns what is not as it should be, in words. */
  async #makeItSo(nodes: readonly Node[], signal: AbortSignal): Promise<string | undefined> {
    const { options } = this;
    const own = nodes.find(({ metadata }) => metadata.name === options.nodeName);
    if (!own) return `node ${options.nodeName} has not registered`;
    const self = nodeFacts(own);
    const { podCIDR, address } = self;
    if (podCIDR === undefined) return `node ${self.name} has no podCIDR: the controller manager has not given it one, or the cluster CIDR is exhausted`;
    if (address === undefined) return `node ${self.name} has no InternalIP`;
    const underlay = await this.#kernel.underlay(address);
    if (!underlay) return `no link of this host has the address ${address} of node ${self.name}`;
    if (!underlay.up) return `the link with the address ${address} is down`;

    const mtu = podMtu(options.mode, underlay);
    const plan = planPaths({ ...self, podCIDR }, nodes.map(nodeFacts), options.mode, underlay);
    await this.#kernel.allowForwarding();
    await this.#kernel.ensureRules(podCIDR, options.mode === 'direct' ? undefined : address, this.#rounds++ % RULES_EVERY === 0);
    const tunnel = options.mode === 'direct' ? undefined : await this.#kernel.ensureTunnel(self.name, underlay, mtu, networkAddress(podCIDR));
    if (!tunnel) await this.#kernel.removeTunnel();
    await this.#kernel.setPaths(plan.paths, underlay, tunnel);
    await writeConflist(options.cniConfDir, { name: options.network, bridge: options.bridge, podCIDR, mtu });
    await announce(options.client, options.clock, own, tunnel?.mac, signal);
    return this.#tell(plan, self);
  }

  /** Logs what changed, once. */
  #tell({ paths, unreachable }: Plan, self: NodeFacts): string | undefined {
    const { logger } = this.options;
    const text = JSON.stringify([paths, unreachable]);
    if (text !== this.#told) {
      this.#told = text;
      logger.info('paths to pods of other nodes', { podCIDR: self.podCIDR, paths: paths.map((p) => `${p.podCIDR} ${p.kind} ${p.gateway}`) });
      for (const { node, reason } of unreachable) logger.warn('pods of a node cannot be reached', { node, reason });
    }
    return unreachable.length === 0 ? undefined : unreachable.map(({ node, reason }) => `pods of node ${node} cannot be reached: ${reason}`).join('; ');
  }
}

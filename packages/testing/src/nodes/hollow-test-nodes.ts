import { createSimRuntime, type SimRuntime } from '@coxswain/cri-sim';
import { HollowNodes } from '@coxswain/kubelet';
import type { TestNodes, TestNodesDeps } from './test-nodes.js';

/** Room for more pods than fit into a test. */
const POD_NETWORK = '10.128.0.0/9';

/** All nodes in one component, over one simulated runtime. */
export class HollowTestNodes implements TestNodes {
  readonly name = 'nodes';
  readonly #sim: SimRuntime;
  readonly #nodes: HollowNodes;

  constructor({ nodes, clock, random, logger, clientAs, containers, images }: TestNodesDeps) {
    this.#sim = createSimRuntime({ clock, random, containers, images, podCIDR: POD_NETWORK });
    // Not one client a node: what one may do as all of them is no less checked.
    const client = clientAs('system:hollow-nodes', 'system:masters');
    this.#nodes = new HollowNodes({ nodes, client, cri: this.#sim.connect(), clock, random, logger });
  }

  get state$(): TestNodes['state$'] {
    return this.#nodes.state$;
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#nodes.start(signal);
  }

  async stop(): Promise<void> {
    await this.#nodes.stop();
    await this.#sim.close();
  }

  async kill(name: string): Promise<void> {
    this.#nodes.kill(name);
  }

  revive(name: string): Promise<void> {
    return this.#nodes.revive(name);
  }
}

import type { KubeClient } from '@coxswain/client';
import type { Clock, Component, Logger, Random } from '@coxswain/sdk';
import type { NodePlan } from '../cluster/options.js';

export interface TestNodesDeps {
  readonly nodes: readonly NodePlan[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Where kubelets keep their files. */
  readonly dir: string;
  readonly clientAs: (name: string, ...groups: string[]) => KubeClient;
  readonly serving: { readonly cert: string; readonly key: string };
  readonly containers: readonly unknown[];
  readonly images: readonly unknown[];
}

/** The nodes of a test cluster, as one component. */
export interface TestNodes extends Component {
  /** The node dies: its kubelet and its containers are gone, and nobody is told. */
  kill(name: string): Promise<void>;
  /** It comes back as a machine does after a power cut. */
  revive(name: string): Promise<void>;
}

import type { Logger, PluginUse } from '@coxswain/sdk';

/** A simulated node. */
export interface TestNode {
  /** Default `node-1`, `node-2`, … by position. */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' }[];
  /** Resources by name, as quantities. What is not named has its default: 8 CPUs, 32Gi of memory, 100Gi of storage, 110 pods. */
  readonly capacity?: Readonly<Record<string, string>>;
}

export interface TestClusterOptions {
  /** How many, or which. Default 1. */
  readonly nodes?: number | readonly TestNode[];
  /**
   * `real`: every node is a real kubelet on a simulated runtime. `hollow`: all nodes in one component with the kubelet's decisions and
   * statuses, without volumes, probes, hooks, events, logs and exec. Default: real up to ten nodes.
   */
  readonly kubelets?: 'real' | 'hollow';
  /** May bind admission plugins, authenticators, authorizers, scheduler plugins, and a `StateStore` in place of the one in memory. */
  readonly plugins?: readonly PluginUse[];
  /** As kube-controller-manager's `--controllers`. Default `['*']`. */
  readonly controllers?: readonly string[];
  /** Scripts of simulated containers, and how pulls go: `containers` and `images` of @coxswain/cri-sim. */
  readonly containers?: readonly unknown[];
  readonly images?: readonly unknown[];
  /** Time passes by itself, as fast as the machine's. Default: it passes when the test says so. */
  readonly realTime?: boolean;
  /** When virtual time begins, in milliseconds since the epoch. Default: now, so that kubectl's clock and ours agree. */
  readonly startTime?: number;
  /** For the cluster's randomness: the same number gives the same names. Default 1. */
  readonly seed?: number;
  /** Default: silent. */
  readonly logger?: Logger;
}

export interface NodePlan {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: NonNullable<TestNode['taints']>;
  readonly capacity: Readonly<Record<string, string>>;
  /** Loopback has room for all of them: each kubelet listens at an address of its own. */
  readonly address: string;
}

const DEFAULT_CAPACITY = { cpu: '8', memory: '32Gi', 'ephemeral-storage': '100Gi', pods: '110' };
const MAX_REAL = 10;

/** The nodes with all defaults. Throws a `TypeError` naming the option that is wrong. */
export function planNodes({ nodes = 1 }: TestClusterOptions): readonly NodePlan[] {
  if (typeof nodes === 'number' && (!Number.isInteger(nodes) || nodes < 0 || nodes > 5000))
    throw new TypeError(`nodes must be an integer from 0 to 5000 or a list, got ${nodes}`);
  const given = typeof nodes === 'number' ? Array.from({ length: nodes }, (): TestNode => ({})) : nodes;
  const plans = given.map((node, i) => ({
    name: node.name ?? `node-${i + 1}`,
    labels: node.labels ?? {},
    taints: node.taints ?? [],
    capacity: { ...DEFAULT_CAPACITY, ...node.capacity },
    address: `127.1.${(i + 2) >> 8}.${(i + 2) & 255}`,
  }));
  const seen = new Set<string>();
  for (const [i, { name }] of plans.entries()) {
    if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) throw new TypeError(`nodes[${i}].name ${JSON.stringify(name)} is not a DNS name in lower case`);
    if (seen.has(name)) throw new TypeError(`nodes[${i}].name ${JSON.stringify(name)} is there twice`);
    seen.add(name);
  }
  return plans;
}

export const kubeletsOf = (options: TestClusterOptions, nodes: readonly NodePlan[]): 'real' | 'hollow' =>
  options.kubelets ?? (nodes.length <= MAX_REAL ? 'real' : 'hollow');

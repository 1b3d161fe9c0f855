import type { KubeClient } from '@coxswain/client';
import type { CriConnection } from '@coxswain/cri';
import { type Clock, type Component, type ComponentState, ComponentStateCell, type Logger, type Random } from '@coxswain/sdk';
import type { Observable } from 'rxjs';
import type { KubeletEvents } from './events.js';
import { KubeletRun } from './kubelet-run.js';
import { detectNodeIPs } from './node/machine.js';
import { type KubeletConfig, kubeletOptions, type KubeletOptions } from './options.js';
import type { PodNetwork } from './probes/pod-network.js';
import type { ServingCertificate } from './server/kubelet-server.js';

export interface KubeletDeps {
  readonly client: KubeClient;
  readonly cri: CriConnection;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The node was given a pod CIDR: time to write the CNI configuration. */
  readonly onPodCIDR?: (cidr: string, all: readonly string[]) => void | Promise<void>;
  /** How pods are reached for probes and hooks. Default: by their addresses. A simulated pod's address leads nowhere. */
  readonly podNetwork?: PodNetwork;
  /** Where events go. Default: the API. */
  readonly events?: KubeletEvents;
  /** The node belongs to no cluster: static pods run, and the API server is never asked for anything. */
  readonly standalone?: boolean;
  /** Fields of a KubeletConfiguration that /configz shows besides the options. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** What its command line came to, for `/flagz`. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Instead of `options.serving`: one that comes later and is renewed. */
  readonly servingCertificate?: ServingCertificate;
}

/** A node: takes the pods that are bound to it from the API and from manifests, and makes the container runtime run them. */
export class Kubelet implements Component {
  readonly name = 'kubelet';
  readonly #cell = new ComponentStateCell();
  readonly state$: Observable<ComponentState> = this.#cell.state$;
  readonly options: KubeletOptions;
  readonly #deps: KubeletDeps;
  #run: KubeletRun | undefined;

  constructor(config: KubeletConfig, deps: KubeletDeps) {
    const options = kubeletOptions(config);
    this.options = options.nodeIPs.length > 0 ? options : { ...options, nodeIPs: detectNodeIPs(), nodeIPsDetected: true };
    this.#deps = deps;
  }

  /** Port of the HTTPS API once started. */
  get port(): number {
    return this.#run?.server.port ?? this.options.port;
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#run) return;
    this.#cell.set('starting');
    const run = new KubeletRun(this.options, this.#deps, this.#cell);
    try {
      await run.start(signal);
    } catch (error) {
      await run.stop(AbortSignal.timeout(5000)).catch(() => {});
      this.#cell.set('failed', (error as Error).message);
      throw error;
    }
    this.#run = run;
    this.#cell.set('ready');
  }

  /** Pods go on running; the next kubelet takes them over. */
  async stop(deadline: AbortSignal): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    if (!run) return;
    this.#cell.set('stopping');
    try {
      await run.stop(deadline);
    } finally {
      this.#cell.set('stopped');
    }
  }
}

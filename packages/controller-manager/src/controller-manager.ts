import { Manager } from '@coxswain/controller';
import type { KubeClient } from '@coxswain/client';
import type { Clock, Component, Logger, Random } from '@coxswain/sdk';
import { defaultControllerManagerConfig, type ControllerManagerConfig } from './controller-manager-config.js';
import { controllers, type RegisteredController } from './registry.js';

export interface ControllerManagerOptions {
  /** The manager's own: informers, leader election, and what has no account of its own. */
  readonly client: KubeClient;
  /** Gives each controller a client that acts as this service account of kube-system; without it they all act as the manager. */
  readonly clientFor?: (account: string) => KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly config?: Partial<ControllerManagerConfig>;
  /** Further controllers, by the same rules. */
  readonly extra?: readonly RegisteredController[];
}

/**
 * kube-controller-manager as a component. Ready when caches are synced and all selected controllers work (with leader election:
 * when it waits for its turn); when it loses the lease, it stops them and waits again.
 */
export class ControllerManager implements Component {
  readonly name = 'controller-manager';
  readonly config: ControllerManagerConfig;
  readonly state$: Component['state$'];
  readonly #manager: Manager<ControllerManagerConfig>;

  constructor({ extra = [], config, ...rest }: ControllerManagerOptions) {
    this.config = { ...defaultControllerManagerConfig, ...config };
    this.#manager = new Manager({ ...rest, name: this.name, config: named(this.config), controllers: [...controllers, ...extra] });
    this.state$ = this.#manager.state$;
  }

  /** The port it serves on; undefined when it does not. */
  get port(): number | undefined {
    return this.#manager.port;
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#manager.start(signal);
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.#manager.stop(deadline);
  }
}

/** On z-pages it goes by upstream's name. */
function named(config: ControllerManagerConfig): ControllerManagerConfig {
  const { serving } = config;
  return serving ? { ...config, serving: { zPages: { component: 'kube-controller-manager' }, ...serving } } : config;
}

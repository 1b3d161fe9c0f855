import type { KubeClient } from '@coxswain/client';
import { Manager, selectRegistered } from '@coxswain/controller';
import type { Clock, CloudProvider, Component, Logger, Random } from '@coxswain/sdk';
import { defaultCloudControllerManagerConfig, type CloudControllerManagerConfig } from './cloud-controller-manager-config.js';
import { cloudControllers, knownCloudControllers } from './registry.js';

export interface CloudControllerManagerOptions {
  readonly cloud: CloudProvider;
  readonly client: KubeClient;
  /** Gives each controller a client that acts as this service account of kube-system; without it they all act as the manager. */
  readonly clientFor?: (account: string) => KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly config?: Partial<CloudControllerManagerConfig>;
}

/**
 * cloud-controller-manager as a component: the controllers for what the cloud offers. Ready when caches are synced and they work (with
 * leader election: when it waits for its turn); when it loses the lease, it stops them and waits again. The constructor throws for a controller nobody knows.
 */
export class CloudControllerManager implements Component {
  readonly name = 'cloud-controller-manager';
  readonly config: CloudControllerManagerConfig;
  readonly state$: Component['state$'];
  readonly #manager: Manager<CloudControllerManagerConfig>;

  constructor({ cloud, config, ...rest }: CloudControllerManagerOptions) {
    this.config = { ...defaultCloudControllerManagerConfig, ...config };
    selectRegistered(this.config.controllers, knownCloudControllers);
    const controllers = cloudControllers(cloud, this.config);
    // Known but not offered by this cloud: chosen by name or not, there is nothing to run.
    const offered = new Set(controllers.map((c) => c.name));
    const selection = this.config.controllers.filter((name) => {
      const bare = name.replace(/^-/, '');
      return bare === '*' || [...offered].some((o) => o === bare || o === `${bare}-controller`);
    });
    this.#manager = new Manager<CloudControllerManagerConfig>({ ...rest, name: this.name, config: { ...this.config, controllers: selection }, controllers });
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

import type { KubeClient } from '@coxswain/client';
import { Manager, type RegisteredController } from '@coxswain/controller';
import { connectCsi, type CsiConnection, ControllerServiceCapability_RPC_Type as Capability, PluginCapability_Service_Type as Service } from '@coxswain/csi';
import { ComponentStateCell, type Clock, type Component, type Logger, type Random } from '@coxswain/sdk';
import { csiAttacher } from './csi-attacher.js';
import { type CsiControllerConfig, defaultCsiControllerConfig } from './csi-controller-config.js';
import { csiProvisioner } from './csi-provisioner.js';
import { csiResizer } from './csi-resizer.js';

export interface CsiControllerOptions {
  /** The socket of the driver's controller service. */
  readonly endpoint: string;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly config?: Partial<CsiControllerConfig>;
}

/** The driver that controllers act through, as it told of itself. */
export interface ControlledDriver {
  readonly name: string;
  readonly connection: CsiConnection;
  readonly capabilities: ReadonlySet<Capability>;
  readonly topology: boolean;
}

/**
 * Binds one CSI driver to the cluster, as upstream's sidecars do: makes and deletes volumes of claims, attaches them to nodes and grows them,
 * as far as the driver can. `start` rejects when the driver does not answer.
 */
export class CsiController implements Component {
  readonly name = 'csi-controller';
  readonly #cell = new ComponentStateCell();
  readonly state$: Component['state$'] = this.#cell.state$;
  #running: { readonly manager: Manager<CsiControllerConfig>; readonly connection: CsiConnection; readonly forward: { unsubscribe(): void } } | undefined;

  constructor(private readonly options: CsiControllerOptions) {}

  async start(signal: AbortSignal): Promise<void> {
    if (this.#running) return;
    this.#cell.set('starting');
    const { endpoint, client, clock, random, logger, config } = this.options;
    const connection = connectCsi({ endpoint });
    try {
      const driver = await ask(connection, signal);
      const manager = new Manager<CsiControllerConfig>({
        name: this.name,
        controllers: controllersOf(driver),
        config: { ...defaultCsiControllerConfig, ...config },
        client,
        clock,
        random,
        logger,
      });
      await manager.start(signal);
      const forward = manager.state$.subscribe(({ phase, message }) => this.#cell.set(phase, message));
      this.#running = { manager, connection, forward };
    } catch (error) {
      connection.close();
      this.#cell.set('failed', (error as Error).message);
      throw error;
    }
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (!running) return;
    await running.manager.stop(deadline);
    running.forward.unsubscribe();
    running.connection.close();
    this.#cell.set('stopped');
  }
}

async function ask(connection: CsiConnection, signal: AbortSignal): Promise<ControlledDriver> {
  const { name } = await connection.identity.getPluginInfo({}, { signal });
  const plugin = await connection.identity.getPluginCapabilities({}, { signal });
  const services = new Set(plugin.capabilities.map((c) => (c.type.case === 'service' ? c.type.value.type : Service.UNKNOWN)));
  if (!services.has(Service.CONTROLLER_SERVICE)) throw new Error(`CSI driver ${name} has no controller service`);
  const { capabilities } = await connection.controller.controllerGetCapabilities({}, { signal });
  return {
    name,
    connection,
    capabilities: new Set(capabilities.map((c) => (c.type.case === 'rpc' ? c.type.value.type : Capability.UNKNOWN))),
    topology: services.has(Service.VOLUME_ACCESSIBILITY_CONSTRAINTS),
  };
}

function controllersOf(driver: ControlledDriver): RegisteredController<CsiControllerConfig>[] {
  const can = (capability: Capability, name: string, make: RegisteredController<CsiControllerConfig>['make']) =>
    driver.capabilities.has(capability) ? [{ name, group: 'main' as const, make }] : [];
  return [
    ...can(Capability.CREATE_DELETE_VOLUME, 'csi-provisioner', (context) => csiProvisioner(context, driver)),
    // Also for drivers that attach nothing: somebody has to say that it is done.
    { name: 'csi-attacher', group: 'main', make: (context) => csiAttacher(context, driver) },
    ...can(Capability.EXPAND_VOLUME, 'csi-resizer', (context) => csiResizer(context, driver)),
  ];
}

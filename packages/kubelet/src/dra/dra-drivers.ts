import type { KubeClient } from '@coxswain/client';
import type { PluginInfo } from '@coxswain/csi';
import { connectDra, DRA_V1, type DraConnection } from '@coxswain/dra';
import type { Clock, Logger } from '@coxswain/sdk';
import type { PluginHandler } from '../plugin-watcher.js';

/** A driver that is updated comes back within this time; one that does not is gone with its devices. */
const WIPE_AFTER_MS = 30_000;
const RETRY_MS = 5000;

export interface DraDriversDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  /** Milliseconds. Default 30 s. */
  readonly wipeAfterMs?: number;
  /** A driver came: pods that waited for it may go on. */
  readonly changed: () => void;
}

/** The drivers of dynamic resources on this node. What a driver that is gone has published of its devices is taken back. */
export class DraDrivers implements PluginHandler {
  readonly #drivers = new Map<string, DraConnection>();
  readonly #wiping = new Map<string, AbortController>();

  constructor(private readonly deps: DraDriversDeps) {}

  /** Throws upstream's words for a driver that is not there. */
  get(name: string): DraConnection {
    const found = this.#drivers.get(name);
    if (!found) throw new Error(`DRA driver ${name} is not registered`);
    return found;
  }

  async register({ name, endpoint, supportedVersions }: PluginInfo): Promise<void> {
    if (!supportedVersions.includes(DRA_V1))
      throw new Error(`driver ${name} supports ${supportedVersions.join(', ') || 'no version of the calls'}; this kubelet needs ${DRA_V1}`);
    if (!endpoint) throw new Error(`driver ${name} names no endpoint`);
    this.#stopWiping(name);
    this.#drivers.get(name)?.close();
    this.#drivers.set(name, connectDra({ endpoint }));
    this.deps.logger.info('DRA driver registered', { driver: name, endpoint });
    this.deps.changed();
  }

  async unregister(name: string, signal: AbortSignal): Promise<void> {
    this.#drivers.get(name)?.close();
    if (!this.#drivers.delete(name)) return;
    this.deps.logger.info('DRA driver unregistered', { driver: name });
    this.#wipe(name, signal);
  }

  /** What drivers have published who were there in a former life of the kubelet, and have not come back. */
  async wipeForgotten(signal: AbortSignal): Promise<void> {
    const { client, clock, logger, nodeName, wipeAfterMs = WIPE_AFTER_MS } = this.deps;
    await clock.sleep(wipeAfterMs, signal).catch(() => {});
    while (!signal.aborted) {
      try {
        const slices = await client.api.resourceSlices().list({ fieldSelector: `spec.nodeName=${nodeName}`, signal });
        for (const driver of new Set(slices.items.map(({ spec }) => spec.driver)))
          if (!this.#drivers.has(driver) && !this.#wiping.has(driver)) await this.#deleteSlices(driver, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        logger.debug('looking for devices of drivers that are gone failed; will try again', { err: error });
        await clock.sleep(RETRY_MS, signal).catch(() => {});
      }
    }
  }

  close(): void {
    for (const name of [...this.#wiping.keys()]) this.#stopWiping(name);
    for (const connection of this.#drivers.values()) connection.close();
  }

  #stopWiping(name: string): void {
    this.#wiping.get(name)?.abort(new Error('the driver is back'));
    this.#wiping.delete(name);
  }

  #wipe(name: string, signal: AbortSignal): void {
    const { clock, logger, wipeAfterMs = WIPE_AFTER_MS } = this.deps;
    const stop = new AbortController();
    this.#wiping.set(name, stop);
    const either = AbortSignal.any([signal, stop.signal]);
    const run = async () => {
      await clock.sleep(wipeAfterMs, either);
      for (;;) {
        try {
          await this.#deleteSlices(name, either);
          this.#wiping.delete(name);
          return;
        } catch (error) {
          either.throwIfAborted();
          logger.warn('taking back the devices of a driver failed; will try again', { driver: name, err: error });
          await clock.sleep(RETRY_MS, either);
        }
      }
    };
    run().catch(() => {});
  }

  async #deleteSlices(driver: string, signal: AbortSignal): Promise<void> {
    const { client, nodeName, logger } = this.deps;
    await client.api.resourceSlices().deleteCollection({ signal }, { fieldSelector: `spec.driver=${driver},spec.nodeName=${nodeName}` });
    logger.info('devices of a driver that is gone taken back', { driver });
  }
}

import type { KubeObject } from '@coxswain/api';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import type { KubeClient } from '../rest/kube-client.js';
import type { ResourceRef } from '../rest/resource-ref.js';
import { SharedInformer, type SharedInformerOptions } from './shared-informer.js';

export interface InformerFactoryOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger | undefined;
  /** Drop `metadata.managedFields` from what is cached: a third of a typical object, and no controller reads it. Default true. */
  readonly dropManagedFields?: boolean;
  readonly freeze?: boolean;
}

export interface InformerSelection {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** One informer per resource and selection, however many ask for it. */
export class InformerFactory {
  readonly #informers = new Map<string, SharedInformer<KubeObject>>();
  #started = false;

  constructor(private readonly options: InformerFactoryOptions) {}

  /** Informers asked for after `start` start at once. */
  informer<T extends KubeObject>(ref: ResourceRef<T>, selection: InformerSelection = {}): SharedInformer<T> {
    const { namespace = '', labelSelector = '', fieldSelector = '' } = selection;
    const id = [ref.group, ref.version, ref.resource, namespace, labelSelector, fieldSelector].join('\u0000');
    let informer = this.#informers.get(id) as SharedInformer<T> | undefined;
    if (!informer) {
      const { client, clock, random, logger, freeze = false } = this.options;
      const options: SharedInformerOptions<T> = {
        source: client.resource(ref, namespace || undefined),
        clock,
        random,
        name: ref.group ? `${ref.resource}.${ref.group}` : ref.resource,
        labelSelector: labelSelector || undefined,
        fieldSelector: fieldSelector || undefined,
        logger,
        freeze,
        ...(this.options.dropManagedFields !== false && { transform: withoutManagedFields }),
      };
      informer = new SharedInformer<T>(options);
      this.#informers.set(id, informer as unknown as SharedInformer<KubeObject>);
      if (this.#started) informer.start();
    }
    return informer;
  }

  start(): void {
    this.#started = true;
    for (const informer of this.#informers.values()) informer.start();
  }

  /** Every informer that exists now has its first list. */
  async synced(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#informers.values()].map((i) => i.synced(signal)));
  }

  async stop(): Promise<void> {
    this.#started = false;
    await Promise.all([...this.#informers.values()].map((i) => i.stop()));
    this.#informers.clear();
  }
}

function withoutManagedFields<T extends KubeObject>(object: T): T {
  if (!object.metadata.managedFields) return object;
  const { managedFields: _dropped, ...metadata } = object.metadata;
  return { ...object, metadata };
}

import type { KubeObject } from '@coxswain/api';
import { InformerFactory, type KubeClient, objectKey, Resources, type SharedInformer } from '@coxswain/client';
import { type Addon, type CancelTimer, type Clock, ComponentStateCell, type Logger, type Random } from '@coxswain/sdk';
import type { PolicyEngine } from './policy-engine.js';
import type { PolicyEvent } from './policy-model.js';

export interface NetworkPolicyAddonOptions {
  readonly client: KubeClient;
  readonly engine: PolicyEngine;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How long changes are gathered before they are written; default 10 ms. Changes during a write wait for its end anyway. */
  readonly gatherMs?: number;
}

const RETRY_MS = [250, 1000, 5000, 15_000, 30_000];

/**
 * Keeps a node's `PolicyEngine` at what the API says.
 *
 * Only policies are watched as long as there is none: pods and namespaces cost nothing on a cluster without policies. The rules
 * stay when it stops, so that pods stay isolated while it is restarted; `PolicyEngine.cleanup` removes them.
 */
export class NetworkPolicyAddon implements Addon {
  readonly name = 'network-policy';
  readonly endpoints = {};
  private readonly cell = new ComponentStateCell();
  readonly state$: Addon['state$'] = this.cell.state$;
  private running: Running | undefined;

  constructor(private readonly options: NetworkPolicyAddonOptions) {}

  async start(signal: AbortSignal): Promise<void> {
    if (this.running) return;
    this.cell.set('starting');
    const running = new Running(this.options, this.cell);
    this.running = running;
    try {
      await running.start(signal);
    } catch (error) {
      this.running = undefined;
      await running.stop();
      this.cell.set('failed', (error as Error).message);
      throw error;
    }
    this.cell.set('ready');
  }

  async stop(_deadline: AbortSignal): Promise<void> {
    const running = this.running;
    this.running = undefined;
    if (!running) return;
    this.cell.set('stopping');
    await running.stop();
    this.cell.set('stopped');
  }
}

/** What lives between one `start` and its `stop`. */
class Running {
  private readonly policies: InformerFactory;
  private readonly subjects: InformerFactory;
  private readonly abort = new AbortController();
  /** By type and key: the newest of what changed since the last write. */
  private pending = new Map<string, PolicyEvent>();
  private readonly stores: (() => PolicyEvent[])[] = [];
  private watchingSubjects = false;
  private timer: CancelTimer | undefined;
  private writing: Promise<void> | undefined;
  private failed = 0;
  private ready = false;

  constructor(
    private readonly options: NetworkPolicyAddonOptions,
    private readonly cell: ComponentStateCell,
  ) {
    const { client, clock, random, logger } = options;
    this.policies = new InformerFactory({ client, clock, random, logger });
    this.subjects = new InformerFactory({ client, clock, random, logger });
    this.collect('policy', this.policies.informer(Resources.networkPolicies));
    this.collect('namespace', this.subjects.informer(Resources.namespaces));
    this.collect('pod', this.subjects.informer(Resources.pods));
  }

  private collect<T extends KubeObject>(type: PolicyEvent['type'], informer: SharedInformer<T>): void {
    const take = (event: PolicyEvent) => {
      this.pending.set(`${type} ${event.key}`, event);
      this.schedule(this.options.gatherMs ?? 10);
    };
    const present = (object: T) => take({ type, key: objectKey(object), object } as PolicyEvent);
    informer.addHandler({ add: present, update: (_old, object) => present(object), delete: (object) => take({ type, key: objectKey(object) }) });
    this.stores.push(() => informer.lister.list().map((object) => ({ type, key: objectKey(object), object }) as PolicyEvent));
  }

  async start(signal: AbortSignal): Promise<void> {
    this.policies.start();
    await this.policies.synced(signal);
    await this.replace(signal);
    this.ready = true;
    if (this.pending.size > 0) this.schedule(0);
  }

  private get anyPolicy(): boolean {
    return this.stores[0]?.().length !== 0;
  }

  /** States all there is. */
  private async replace(signal: AbortSignal): Promise<void> {
    if (this.anyPolicy) await this.watchSubjects(signal);
    this.pending = new Map();
    await this.options.engine.start(
      this.stores.flatMap((store) => store()),
      signal,
    );
  }

  private async watchSubjects(signal: AbortSignal): Promise<void> {
    if (!this.watchingSubjects) this.subjects.start();
    this.watchingSubjects = true;
    await this.subjects.synced(signal);
  }

  private schedule(ms: number): void {
    if (!this.ready || this.timer || this.writing || this.abort.signal.aborted) return;
    this.timer = this.options.clock.setTimeout(() => {
      this.timer = undefined;
      this.writing = this.sync().finally(() => {
        this.writing = undefined;
        if (this.failed > 0) this.schedule(RETRY_MS[Math.min(this.failed, RETRY_MS.length) - 1] ?? 1000);
        else if (this.pending.size > 0) this.schedule(this.options.gatherMs ?? 10);
      });
    }, ms);
  }

  private async sync(): Promise<void> {
    const { signal } = this.abort;
    try {
      // The first policy: only now is it known who is who. After a failure it is not known what was written.
      if (this.failed > 0 || (!this.watchingSubjects && this.anyPolicy)) await this.replace(signal);
      else {
        const events = [...this.pending.values()];
        this.pending = new Map();
        await this.options.engine.apply(events, signal);
      }
      this.failed = 0;
      this.cell.set('ready');
    } catch (error) {
      if (signal.aborted) return;
      this.failed++;
      this.cell.set('degraded', (error as Error).message);
      this.options.logger.error('writing network policies failed; trying again', { err: error, attempt: this.failed });
    }
  }

  async stop(): Promise<void> {
    this.timer?.();
    this.abort.abort(new Error('network policy is stopping'));
    await this.writing;
    await this.policies.stop();
    await this.subjects.stop();
    await this.options.client.close();
  }
}

import { setMaxListeners } from 'node:events';
import { hasStatusCause, isForbidden } from '@coxswain/apimachinery';
import { ApiEventRecorder, InformerFactory, ItemExponentialLimiter, LeaderElector, PrometheusWorkQueueMetrics, type KubeClient } from '@coxswain/client';
import {
  ComponentStateCell,
  serveComponent,
  silentLogger,
  type Clock,
  type Component,
  type ComponentServer,
  type Logger,
  type Random,
  MetricRegistry,
  ProcessMetrics,
} from '@coxswain/sdk';
import { buildController } from '../reconcile/build-controller.js';
import type { Controller, EventSink, Outcome } from './controller.js';
import type { ManagerConfig } from './manager-config.js';
import { selectRegistered, type RegisteredController } from './registered-controller.js';

export interface ManagerOptions<Config extends ManagerConfig> {
  /** Names the component, its lines in the log, and its identity in leader election. */
  readonly name: string;
  readonly controllers: readonly RegisteredController<Config>[];
  readonly config: Config;
  /** The manager's own: informers, leader election, and what has no account of its own. */
  readonly client: KubeClient;
  /** Gives each controller a client that acts as this service account of kube-system; without it they all act as the manager. */
  readonly clientFor?: ((account: string) => KubeClient) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger | undefined;
}

/** Until a key is looked at again that came while the lease was not renewed in time: by then we lead again, or our term has ended. */
const NOT_NOW_MS = 1000;

type Undo = (deadline: AbortSignal) => Promise<void> | void;

/**
 * Runs controllers on shared informers, as one component: /healthz and /metrics, leader election, start in groups. Ready when caches
 * are synced and all selected controllers work (with leader election: when it waits for its turn); who loses the lease stops them and waits again.
 */
export class Manager<Config extends ManagerConfig> implements Component {
  readonly name: string;
  readonly #state = new ComponentStateCell();
  readonly state$: Component['state$'] = this.#state.state$;
  readonly #logger: Logger;
  #undo: Undo[] | undefined;
  #server: ComponentServer | undefined;

  constructor(private readonly options: ManagerOptions<Config>) {
    this.name = options.name;
    this.#logger = (options.logger ?? silentLogger).child({ component: options.name });
  }

  /** The port it serves on; undefined when it does not. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#undo) return;
    this.#state.set('starting');
    const undo: Undo[] = [];
    try {
      await this.#start(undo, signal);
    } catch (error) {
      for (const f of undo.reverse()) await f(AbortSignal.timeout(1000));
      this.#state.set('failed', (error as Error).message);
      throw error;
    }
    this.#undo = undo;
    if (this.#state.current.phase === 'starting') this.#state.set('ready');
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const undo = this.#undo;
    this.#undo = undefined;
    if (!undo) return;
    this.#state.set('stopping');
    setMaxListeners(0, deadline);
    try {
      for (const f of undo.reverse()) await f(deadline);
    } finally {
      this.#state.set('stopped');
    }
  }

  async #start(undo: Undo[], signal: AbortSignal): Promise<void> {
    const { client, clock, random, config, name } = this.options;
    const selected = selectRegistered(config.controllers, this.options.controllers);
    const metrics = new PrometheusWorkQueueMetrics();
    const exposed = new MetricRegistry();
    for (const each of [metrics, client.rest.metrics, new ProcessMetrics()]) exposed.register(each);
    let leading = false;
    if (config.serving) {
      const { bindAddress, securePort, ...access } = config.serving;
      const server = await serveComponent({
        address: bindAddress,
        port: securePort,
        ...access,
        metrics: () => exposed.expose(),
        checks: {
          ping: () => undefined,
          leaderElection: () => (this.#state.current.phase === 'failed' ? (this.#state.current.message ?? 'failed') : undefined),
        },
        zPages: { component: name, ...access.zPages },
        pages: { '/debug/state': () => ({ leading, controllers: selected.map((c) => c.name) }) },
      });
      this.#server = server;
      undo.push(() => server.close());
    }
    const lead = async (startSignal: AbortSignal, mayAct: () => boolean): Promise<Undo> => {
      const stop = await this.#work(selected, metrics, startSignal, mayAct);
      leading = true;
      return async (deadline) => {
        leading = false;
        await stop(deadline);
      };
    };
    const election = config.leaderElection;
    if (!election) {
      const stop = await lead(signal, () => true);
      undo.push(stop);
      return;
    }
    const elector = new LeaderElector({
      client,
      clock,
      random,
      logger: this.#logger,
      namespace: election.namespace,
      name: election.name,
      identity: election.identity || `${random.uuid()}_${name}`,
      leaseDurationMs: election.leaseDurationSeconds * 1000,
      renewDeadlineMs: election.renewDeadlineSeconds * 1000,
      retryPeriodMs: election.retryPeriodSeconds * 1000,
    });
    const abort = new AbortController();
    const running = elector
      .campaign(async (term) => {
        const stop = await lead(term, () => elector.holds).catch((error: unknown) => {
          // Lost before everything worked: what had begun is undone.
          if (term.aborted) return undefined;
          throw error;
        });
        if (stop && !term.aborted) await new Promise<void>((resolve) => term.addEventListener('abort', () => resolve(), { once: true }));
        await stop?.(AbortSignal.timeout(5000));
      }, abort.signal)
      .catch((error: unknown) => {
        this.#logger.error('controllers ended', { err: error });
        if (!abort.signal.aborted) this.#state.set('failed', (error as Error).message);
      });
    undo.push(async () => {
      abort.abort(new Error(`${name} stopping`));
      await running;
    });
  }

  /** Start everything, group by group; returns the undo. Nothing is begun any more while `mayAct` says no. */
  async #work(
    selected: readonly RegisteredController<Config>[],
    metrics: PrometheusWorkQueueMetrics,
    signal: AbortSignal,
    mayAct: () => boolean,
  ): Promise<Undo> {
    const { client, clock, random, config } = this.options;
    const logger = this.#logger;
    const informers = new InformerFactory({ client, clock, random, logger });
    const recorders: ApiEventRecorder[] = [];
    const running: { readonly group: RegisteredController<Config>['group']; readonly controller: Component }[] = [];
    const stop = async (deadline: AbortSignal) => {
      await Promise.all(running.map((r) => r.controller.stop(deadline)));
      await informers.stop();
      await Promise.all(recorders.map((r) => r.stop(AbortSignal.timeout(1000))));
    };
    try {
      for (const { name, group, account, make } of selected) {
        const own = account === undefined ? client : (this.options.clientFor?.(account) ?? client);
        const recorder = new ApiEventRecorder({ client: own, component: name, clock, random, logger });
        recorders.push(recorder);
        const events: EventSink = (about, type, reason, message) => recorder.event(about, type, reason, message);
        const controller = make({ client: own, informers, clock, random, logger, events, config });
        const { concurrency = 5, begin, backoff } = controller;
        const built = buildController({
          name: controller.name,
          reconcile: async (key, s) => (mayAct() ? untilTerminating(controller.reconcile(key, s)) : { requeueAfterMs: NOT_NOW_MS }),
          watches: [{ attach: (queue) => controller.watch(queue) }],
          workers: config.concurrency?.[name] ?? concurrency,
          ...(begin && { begin: (queue) => begin.call(controller, queue) }),
          ...(backoff && { rateLimiter: new ItemExponentialLimiter<string>(backoff.baseMs, backoff.maxMs) }),
          clock,
          logger,
          metrics,
        });
        running.push({ group, controller: built });
      }
      // One listener per informer: many, and no leak.
      setMaxListeners(0, signal);
      informers.start();
      await informers.synced(signal);
      for (const group of ['first', 'main', 'last'] as const)
        await Promise.all(running.filter((r) => r.group === group).map((r) => r.controller.start(signal)));
    } catch (error) {
      await stop(AbortSignal.abort());
      throw error;
    }
    return stop;
  }
}

/** Nothing is made any more in a namespace that is being removed: what a controller wanted there has become pointless, not failed. */
async function untilTerminating(work: ReturnType<Controller['reconcile']>): Promise<Outcome> {
  try {
    return await work;
  } catch (error) {
    if (isForbidden(error) && hasStatusCause(error, 'NamespaceTerminating')) return undefined;
    throw error;
  }
}

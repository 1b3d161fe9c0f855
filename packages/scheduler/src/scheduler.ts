import { setMaxListeners } from 'node:events';
import type { Pod } from '@coxswain/api';
import { ApiEventRecorder, InformerFactory, LeaderElector, type KubeClient } from '@coxswain/client';
import {
  ComponentStateCell,
  serveComponent,
  silentLogger,
  type Clock,
  type Component,
  type ComponentServer,
  type Logger,
  type Random,
  type SchedulerHost,
  type SchedulerPlugin,
  ProcessMetrics,
} from '@coxswain/sdk';
import { SchedulerCache } from './cache/scheduler-cache.js';
import { selectPlugins } from './config/plugin-sets.js';
import { defaultSchedulerConfig, type SchedulerConfig } from './config/scheduler-config.js';
import { EXTENDERS } from './extenders/extender.js';
import { HttpExtender } from './extenders/http-extender.js';
import type { SchedulerHandle } from './framework/handle.js';
import { Profile } from './framework/profile.js';
import { defaultPlugins } from './plugins/default-plugins.js';
import { SchedulingQueue } from './queue/scheduling-queue.js';
import { apiActions } from './run/api-actions.js';
import { clusterInformers, clusterView } from './run/cluster-informers.js';
import type { EventSink } from './run/event-sink.js';
import { Nominator } from './run/nominator.js';
import { SchedulerMetrics } from './run/scheduler-metrics.js';
import { SchedulingLoop } from './run/scheduling-loop.js';
import { WaitingPods } from './run/waiting-pods.js';
import { watchCluster } from './run/watch-cluster.js';

export interface SchedulerOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly config?: Partial<SchedulerConfig>;
  /** Further plugins, for all profiles; one of a default plugin's name replaces it. */
  readonly plugins?: readonly SchedulerPlugin[];
}

/**
 * kube-scheduler as a component: gives every pod that asks for one of its profiles a node. Ready once its caches are synced;
 * with leader election it waits its turn then, and waits again when it loses the lease.
 */
export class Scheduler implements Component {
  readonly name = 'scheduler';
  readonly #state = new ComponentStateCell();
  readonly state$: Component['state$'] = this.#state.state$;
  readonly config: SchedulerConfig;
  readonly #logger: Logger;
  #stop: ((deadline: AbortSignal) => Promise<void>) | undefined;
  #server: ComponentServer | undefined;

  constructor(private readonly options: SchedulerOptions) {
    this.config = { ...defaultSchedulerConfig, ...options.config };
    this.#logger = (options.logger ?? silentLogger).child({ component: 'scheduler' });
  }

  /** The port it serves on; undefined when it does not. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#stop) return;
    this.#state.set('starting');
    const undo: ((deadline: AbortSignal) => Promise<void> | void)[] = [];
    try {
      await this.#run(undo, signal);
    } catch (error) {
      for (const f of undo.reverse()) await f(AbortSignal.timeout(1000));
      this.#state.set('failed', (error as Error).message);
      throw error;
    }
    this.#stop = async (deadline) => {
      for (const f of undo.reverse()) await f(deadline);
    };
    this.#state.set('ready');
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const stop = this.#stop;
    this.#stop = undefined;
    if (!stop) return;
    this.#state.set('stopping');
    try {
      await stop(deadline);
    } finally {
      this.#state.set('stopped');
    }
  }

  async #run(undo: ((deadline: AbortSignal) => Promise<void> | void)[], signal: AbortSignal): Promise<void> {
    const { client, clock, random } = this.options;
    const { config } = this;
    const logger = this.#logger;
    const informers = new InformerFactory({ client, clock, random, logger });
    const watched = clusterInformers(informers);
    const cache = new SchedulerCache();
    const nominator = new Nominator();
    const events = eventSink(
      () => new ApiEventRecorder({ client, component: config.profiles[0]?.schedulerName ?? 'default-scheduler', clock, random, logger }),
      undo,
    );
    const extenders = config.extenders.map((e) => new HttpExtender(e));
    undo.push(() => {
      for (const extender of extenders) extender.close();
    });
    const handle: SchedulerHandle = {
      extenders,
      logger,
      view: clusterView(watched, cache, nominator),
      actions: apiActions({ client, clock, informers: watched, events }),
      clock,
      random,
    };
    const profiles = new Map(
      config.profiles.map((p) => [
        p.schedulerName,
        new Profile(p.schedulerName, selectPlugins(p.plugins, defaultPlugins(handle, p.args), this.options.plugins ?? [])),
      ]),
    );
    const first = [...profiles.values()][0] as Profile;
    const queue = new SchedulingQueue({
      less: first.queueSort.less,
      preEnqueue: (pod) => preEnqueue(profiles.get(pod.spec?.schedulerName ?? ''), pod),
      events: new Map([...[...profiles.values()].flatMap((p) => [...p.events]), [EXTENDERS, [{ resource: '*', action: 'update' } as const]]]),
      initialBackoffMs: config.podInitialBackoffSeconds * 1000,
      maxBackoffMs: config.podMaxBackoffSeconds * 1000,
      maxUnschedulableMs: config.podMaxInUnschedulablePodsDurationSeconds * 1000,
    });
    const metrics = new SchedulerMetrics({
      pending: () => queue.sizes,
      cache: () => ({ nodes: cache.nodeCount, pods: cache.podCount, assumed: cache.assumedCount }),
    });
    metrics.registry.register(client.rest.metrics);
    metrics.registry.register(new ProcessMetrics());
    const waiting = new WaitingPods(clock);
    const loop = new SchedulingLoop({
      client,
      handle,
      profiles,
      cache,
      queue,
      nominator,
      waiting,
      events,
      metrics,
      logger,
      percentageOfNodesToScore: (p) =>
        config.profiles.find((c) => c.schedulerName === p.schedulerName)?.percentageOfNodesToScore ?? config.percentageOfNodesToScore,
      current: (pod: Pod) => {
        const now = watched.pods.lister.get(pod.metadata.name ?? '', pod.metadata.namespace);
        return now?.metadata.uid === pod.metadata.uid ? now : undefined;
      },
    });
    undo.push(
      watchCluster({
        informers: watched,
        cache,
        queue,
        nominator,
        isOurs: (pod) => profiles.has(pod.spec?.schedulerName ?? 'default-scheduler'),
        now: () => clock.now(),
        wake: () => loop.wake(),
      }),
    );
    const host: SchedulerHost = {
      waitingPods: () => waiting.list(),
      allow: (plugin, pod) => waiting.allow(plugin, pod),
      reject: (plugin, pod, reason) => waiting.reject(plugin, pod, reason),
      activate: (pods) => {
        queue.activate(pods, clock.now());
        loop.wake();
      },
      nodes: () => cache.snapshot().nodes,
    };
    for (const profile of profiles.values()) for (const plugin of profile.plugins) plugin.start?.(host);

    let leading = config.leaderElection === undefined;
    let synced = false;
    if (config.serving) {
      const { bindAddress, securePort, ...access } = config.serving;
      this.#server = await serveComponent({
        address: bindAddress,
        port: securePort,
        ...access,
        metrics: () => metrics.registry.expose(),
        checks: {
          ping: () => undefined,
          'informer-sync': () => (synced ? undefined : 'caches are not synced'),
          leaderElection: () => (this.#state.current.phase === 'failed' ? (this.#state.current.message ?? 'failed') : undefined),
        },
        zPages: { component: 'kube-scheduler', ...access.zPages },
        pages: { '/debug/state': () => ({ leading, ...queue.sizes }) },
      });
      const server = this.#server;
      undo.push(() => server.close());
    }
    // One listener per informer and per request in flight: many, and no leak.
    const abort = new AbortController();
    setMaxListeners(0, signal, abort.signal);
    informers.start();
    undo.push(() => informers.stop());
    await informers.synced(signal);
    synced = true;

    const election = config.leaderElection;
    const lead = (leadSignal: AbortSignal) => {
      setMaxListeners(0, leadSignal);
      leading = true;
      return loop.run(leadSignal).finally(() => {
        leading = false;
      });
    };
    let running: Promise<unknown>;
    if (election) {
      const elector = new LeaderElector({
        client,
        clock,
        random,
        logger,
        namespace: election.namespace,
        name: election.name,
        identity: election.identity || `${random.uuid()}_scheduler`,
        leaseDurationMs: election.leaseDurationSeconds * 1000,
        renewDeadlineMs: election.renewDeadlineSeconds * 1000,
        retryPeriodMs: election.retryPeriodSeconds * 1000,
        releaseOnCancel: true,
      });
      // The queue and the cache go on meanwhile: whoever leads again knows what the other has done.
      running = elector.campaign(lead, abort.signal);
    } else running = lead(abort.signal);
    running = running.catch((error: unknown) => {
      logger.error('scheduling loop ended', { err: error });
      this.#state.set('failed', (error as Error).message);
    });
    undo.push(async () => {
      abort.abort(new Error('scheduler stopping'));
      await running;
    });
  }
}

/** A recorder writes its events one after the other; several keep pace with binding. An object's events stay with one of them. */
const RECORDERS = 8;

function eventSink(make: () => ApiEventRecorder, undo: ((deadline: AbortSignal) => Promise<void> | void)[]): EventSink {
  const recorders = Array.from({ length: RECORDERS }, make);
  undo.push(async (deadline) => {
    await Promise.all(recorders.map((r) => r.stop(deadline)));
  });
  return (about, type, reason, note) => {
    const name = about.metadata.name ?? '';
    let hash = 0;
    for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
    recorders[hash % RECORDERS]?.event(about, type, reason, note);
  };
}

function preEnqueue(profile: Profile | undefined, pod: Pod): ReturnType<SchedulingQueue['options']['preEnqueue']> {
  for (const plugin of profile?.preEnqueue ?? []) {
    const status = plugin.preEnqueue(pod);
    if (status.code !== 'success' && status.code !== 'skip') return { plugin: plugin.name, status };
  }
  return undefined;
}

import { setMaxListeners } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import type { Node, Pod, Secret, Service } from '@coxswain/api';
import { ApiEventRecorder, InformerFactory, Resources, type SharedInformer } from '@coxswain/client';
import { diskUsage, machineFacts } from '@coxswain/linux';
import type { ComponentStateCell } from '@coxswain/sdk';
import { apiEvents, loggedEvents } from './api-events.js';
import { checkCgroupDriver } from './cgroups/cgroup-driver.js';
import { nodeCgroupLimits } from './cgroups/node-cgroup-limits.js';
import { PodCgroups } from './cgroups/pod-cgroups.js';
import { CsiAttachments } from './csi/csi-attachments.js';
import { CsiDrivers } from './csi/csi-drivers.js';
import { CsiPaths } from './csi/csi-paths.js';
import { CsiVolumes } from './csi/csi-volumes.js';
import { type Dra, openDra } from './dra/open-dra.js';
import type { KubeletEvents } from './events.js';
import type { KubeletDeps } from './kubelet.js';
import { ImageCollector } from './images/image-gc.js';
import { ImageManager } from './images/image-manager.js';
import { PullRecords } from './images/pull-records.js';
import { LogRotation } from './logs/log-rotation.js';
import { admitPod, resizePending } from './node/admission.js';
import { overLocalLimits, podUsage } from './node/eviction-inputs.js';
import { EvictionManager } from './node/eviction-manager.js';
import { NodeLease } from './node/lease.js';
import { NodeAgent } from './node/node-agent.js';
import { PodCidr } from './node/pod-cidr.js';
import { RuntimeMonitor } from './node/runtime-monitor.js';
import type { KubeletOptions } from './options.js';
import { findRuntimeClass, removeFromApi } from './api-calls.js';
import { Paths } from './paths.js';
import { PluginWatcher } from './plugin-watcher.js';
import { PodSignals } from './pod-signals.js';
import { gracePeriodOf, isTerminal } from './pod/pod-spec.js';
import { containersByState, runningPods } from './pod/cache-views.js';
import { PodCache } from './pod/pod-cache.js';
import type { ResourceOptions } from './pod/resources.js';
import { realPodNetwork } from './probes/pod-network.js';
import { countProbes } from './probes/probe-metrics.js';
import { ProbeManager } from './probes/probe-manager.js';
import { probeRunner } from './probes/run-probe.js';
import { parseResolvConf, type ResolvConf } from './render/dns.js';
import type { FieldContext } from './render/field-path.js';
import { HookRunner } from './runtime/hooks.js';
import { Pleg } from './runtime/pleg.js';
import { PodRuntime } from './runtime/pod-runtime.js';
import { StartGate } from './runtime/start-gate.js';
import { ServerAuth } from './server/auth.js';
import { KubeletServer } from './server/kubelet-server.js';
import { PodAccess } from './server/pod-access.js';
import { PodManager } from './sources/pod-manager.js';
import { runStaticSources } from './sources/static-sources.js';
import { KubeletMetrics } from './stats/kubelet-metrics.js';
import { MetricSet } from './stats/prometheus.js';
import { meteredCri } from './stats/runtime-metrics.js';
import { StatsProvider } from './stats/summary.js';
import { StatusManager } from './status/status-manager.js';
import { ObjectStore } from './volumes/object-store.js';
import { TokenManager } from './volumes/service-account-token.js';
import { UserNamespaces } from './volumes/user-namespaces.js';
import { VolumeManager } from './volumes/volume-manager.js';
import { PodWorker } from './worker/pod-worker.js';

/** Everything of one start. */
export class KubeletRun {
  readonly #options: KubeletOptions;
  readonly #deps: KubeletDeps;
  readonly #cell: ComponentStateCell;
  readonly #stopping = new AbortController();
  readonly #loops: Promise<unknown>[] = [];
  readonly #cache = new PodCache();
  readonly #signals = new PodSignals();
  readonly #probeMetrics = new MetricSet();
  readonly #bornAt: number;
  #hostResolv: ResolvConf = { servers: [], searches: [], options: [] };
  #informers: InformerFactory | undefined;
  #recorder: ApiEventRecorder | undefined;
  #manager: PodManager | undefined;
  #agent: NodeAgent | undefined;
  #monitor: RuntimeMonitor | undefined;
  #status: StatusManager | undefined;
  #probes: ProbeManager | undefined;
  #volumes: VolumeManager | undefined;
  #drivers: CsiDrivers | undefined;
  #dra: Dra | undefined;
  #objects: ObjectStore | undefined;
  #server: KubeletServer | undefined;
  readonly #podCIDR: PodCidr;

  constructor(options: KubeletOptions, deps: KubeletDeps, cell: ComponentStateCell) {
    this.#options = options;
    this.#deps = deps;
    this.#cell = cell;
    this.#bornAt = deps.clock.now();
    this.#podCIDR = new PodCidr(deps, () => void this.#monitor?.check(this.#stopping.signal));
    setMaxListeners(0, this.#stopping.signal);
  }

  get server(): KubeletServer {
    return this.#server as KubeletServer;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { client, clock, random, logger } = this.#deps;
    const options = this.#options;
    const cache = this.#cache;
    const metrics = new KubeletMetrics(client.rest.metrics, {
      runningPods: () => runningPods(this.#cache).length,
      containers: () => containersByState(this.#cache),
      nodeName: options.nodeName,
    });
    const cri = meteredCri(this.#deps.cri, clock, metrics.registry);
    const paths = new Paths(options.rootDir, options.podLogsDir, options.containerLogsDir);
    await mkdir(paths.pods, { recursive: true, mode: 0o750 });
    const [machine, disk, resolv] = await Promise.all([machineFacts(), diskUsage(options.rootDir), readFile(options.resolvConf, 'utf8').catch(() => '')]);
    this.#hostResolv = parseResolvConf(resolv);
    const resources: ResourceOptions = {
      cpuCfsQuota: options.cpuCFSQuota,
      cpuCfsPeriodMicros: options.cpuCFSQuotaPeriodMicros,
      memoryCapacity: machine.memoryBytes,
      podPidsLimit: options.podPidsLimit,
    };

    const informers = new InformerFactory({ client, clock, random, logger });
    this.#informers = informers;
    const pods = informers.informer(Resources.pods, { fieldSelector: `spec.nodeName=${options.nodeName}` });
    const nodes = informers.informer(Resources.nodes, { fieldSelector: `metadata.name=${options.nodeName}` });
    const services = informers.informer(Resources.services);

    const node = (): Node | undefined => nodes.lister.get(options.nodeName);
    const events = this.#deps.events ?? (this.#deps.standalone ? loggedEvents(logger) : this.#apiEvents());

    const changed = (uid: string) => {
      this.#signals.notify(uid);
      this.#manager?.worker(uid)?.wake();
      if (this.#manager && !this.#manager.worker(uid)) void this.#manager.collectOrphans();
    };
    const pleg = new Pleg({ runtime: cri.runtime, cache, clock, logger, changed }, options);
    const monitor = new RuntimeMonitor({ runtime: cri.runtime, clock, logger, changed: () => this.#runtimeTurned(monitor) }, options.runtimeStatusPeriodMs);
    this.#monitor = monitor;

    const status = new StatusManager({ client, clock, logger, apiPod: (pod) => this.#manager?.apiPod(pod) }, { settleMs: options.statusSettleMs });
    this.#status = status;
    const objects = new ObjectStore(client, clock, logger, (kind, namespace, name) => {
      volumes.objectChanged(kind, namespace, name);
      this.#manager?.objectChanged(kind, namespace, name);
    });
    this.#objects = objects;
    const fieldContext = (pod: Pod): FieldContext => ({
      nodeName: options.nodeName,
      hostIPs: options.nodeIPs,
      podIPs: cache.get(pod.metadata?.uid ?? '').sandboxes[0]?.ips ?? [],
      allocatable: this.#agent?.allocatable ?? {},
    });
    const forDrivers = { client, clock, logger, nodeName: options.nodeName, changed: () => this.#manager?.wakeAll() };
    const drivers = new CsiDrivers({ ...forDrivers, nodeUid: () => this.#agent?.reference()?.uid });
    this.#drivers = drivers;
    const attachments = new CsiAttachments({ client, clock, nodeName: options.nodeName, node, changed: () => this.#agent?.nudge() });
    const csiPaths = new CsiPaths(options.rootDir);
    const csi = new CsiVolumes({ client, drivers, attachments, paths: csiPaths, nodeName: options.nodeName });
    await csi.load();
    const dra = (this.#dra = await openDra(paths.claimRecords, forDrivers)).manager;
    const volumes = new VolumeManager({
      paths,
      client,
      objects,
      tokens: new TokenManager(client, clock),
      events,
      clock,
      logger,
      fieldContext,
      csi,
      mountVolumes: options.mountVolumes,
    });
    this.#volumes = volumes;
    const { imagePullCredentialsVerificationPolicy: mode, preloadedImagesVerificationAllowlist: allowlist } = options;
    const records = await PullRecords.open(paths.imageManager, { mode, allowlist }, clock, logger);
    const images = new ImageManager(
      {
        image: cri.image,
        clock,
        events,
        pullSecrets: async (pod) => {
          const found = await Promise.all(
            (pod.spec?.imagePullSecrets ?? []).map((s) => objects.get('Secret', pod.metadata?.namespace ?? 'default', s.name ?? '').catch(() => undefined)),
          );
          return found.filter((s): s is Secret => s !== undefined);
        },
        records,
      },
      {
        backoff: options.imagePullBackOff,
        presenceMs: 60_000,
        pullQps: options.registryPullQPS,
        pullBurst: options.registryBurst,
        ...(options.maxParallelImagePulls === undefined ? {} : { maxParallelPulls: options.maxParallelImagePulls }),
      },
    );
    const network = this.#deps.podNetwork ?? realPodNetwork(clock);
    const hooks = new HookRunner(cri.runtime, clock, network);
    const cgroups = options.cgroupsPerQOS ? new PodCgroups(options.cgroupRoot, resources, clock) : undefined;
    const runtime = new PodRuntime(
      {
        runtime: cri.runtime,
        images,
        pleg,
        cache,
        hooks,
        gate: new StartGate(options.maxParallelStarts, clock),
        events,
        paths,
        clock,
        logger,
        hostResolvConf: () => this.#hostResolv,
        services: () => services.lister.list(),
        configMap: (namespace, name) => objects.get('ConfigMap', namespace, name),
        secret: (namespace, name) => objects.get('Secret', namespace, name),
        runtimeClass: (name) => findRuntimeClass(client, name),
        fieldContext,
        userNamespaces: await UserNamespaces.open(paths, { idsPerPod: options.userNamespaceIdsPerPod, maxPods: options.maxPods }),
        runtimeFacts: () => monitor.facts,
        cdiDevices: (pod, container) => dra.devicesOf(pod, container),
      },
      {
        clusterDomain: options.clusterDomain,
        clusterDNS: options.clusterDNS,
        seccompDefault: options.seccompDefault,
        mountVolumes: options.mountVolumes,
        cgroupRoot: cgroups ? options.cgroupRoot : undefined,
        resources,
      },
    );
    const probes = new ProbeManager({
      clock,
      random,
      run: probeRunner(cri.runtime, clock, network),
      events,
      changed,
      bornAt: this.#bornAt,
      count: countProbes(this.#probeMetrics),
    });
    this.#probes = probes;

    const others = (pod: Pod) =>
      [...(this.#manager?.workers() ?? [])].flatMap((w) =>
        w.pod && w.uid !== pod.metadata?.uid && w.admitted && w.life === 'running' && !isTerminal(w.pod) ? [w.pod] : [],
      );
    const workerDeps = {
      clock,
      random,
      logger,
      cache,
      runtime,
      images,
      volumes,
      dra,
      probes,
      status,
      events,
      cgroups,
      cri: cri.runtime,
      pleg,
      resourceOptions: resources,
      restartForResize: (pod: Pod, id: string, name: string) =>
        runtime.killContainer(pod, { id, name, message: `Container ${name} resize requires restart` }, gracePeriodOf(pod)),
      runtimeName: () => monitor.facts?.name ?? 'containerd',
      hostIPs: () => options.nodeIPs,
      networkNotReady: () => monitor.networkProblem,
      admit: (pod: Pod) =>
        admitPod(pod, {
          node: node(),
          allocatable: this.#agent?.allocatable ?? {},
          allowedUnsafeSysctls: options.allowedUnsafeSysctls,
          others: others(pod),
        }),
      resizePending: (pod: Pod) => resizePending(pod, { allocatable: this.#agent?.allocatable ?? {}, others: others(pod) }),
      blocked: (pod: Pod) => this.#manager?.blocked(pod) ?? false,
      deleteFromApi: (pod: Pod, s: AbortSignal) => removeFromApi(client, pod, s),
      onFinished: (uid: string) => this.#manager?.finished(uid),
      onStarted: (_pod: Pod, ms: number) => {
        metrics.podStarted(ms);
      },
    };
    const collector = new ImageCollector(cri.image, images, cache, events, clock, logger, options, records);
    const stats = new StatsProvider({
      runtime: cri.runtime,
      clock,
      cgroups,
      pods: () => this.#manager?.pods() ?? [],
      volumes: (uid) => volumes.names(uid),
      nodeName: options.nodeName,
      paths,
      image: cri.image,
      startedAt: this.#bornAt,
    });
    const eviction = new EvictionManager(
      {
        clock,
        logger,
        events,
        usage: async (resource) => podUsage(resource, this.#manager?.pods() ?? [], await (resource === 'disk' ? stats.detailed() : stats.summary())),
        imageFolder: () => collector.folder(),
        reclaimDisk: async () => void (await collector.collect(true)),
        evict: (uid, verdict, grace) => this.#manager?.worker(uid)?.evict(verdict, grace),
        pressureChanged: () => this.#agent?.nudge(),
        overLocalLimits: async () => (options.localStorageCapacityIsolation ? overLocalLimits(this.#manager?.pods() ?? [], paths, () => stats.summary()) : []),
      },
      options,
    );
    const agent = new NodeAgent(
      {
        client,
        clock,
        logger,
        events,
        machine,
        monitor,
        pressure: () => eviction.pressure,
        images: () => collector.report(),
        plegHealthy: () => pleg.healthy(),
        port: () => this.#server?.port ?? options.port,
        node,
        volumesInUse: () => attachments.inUse,
      },
      options,
      disk,
    );
    this.#agent = agent;
    const manager = new PodManager({
      client,
      cache,
      status,
      objects,
      volumes,
      dra,
      cgroups,
      paths,
      logger,
      makeWorker: (uid) =>
        new PodWorker(uid, workerDeps, { containerBackoff: options.crashLoopBackOff, retryMs: options.syncRetryMs, resyncMs: options.syncFrequencyMs }),
      nodeReference: () => agent.reference(),
      podsChanged: () => {
        void cgroups?.balance(manager.pods()).catch((error: unknown) => logger.debug('setting the weight of a class failed', { err: error }));
      },
    });
    this.#manager = manager;

    if (cgroups) await cgroups.start(nodeCgroupLimits({ cpuMilli: machine.cpuCount * 1000, memoryBytes: machine.memoryBytes }, options));
    const auth = new ServerAuth(client, clock, { ...options, ...options.authentication });
    this.#server = new KubeletServer(
      {
        runtime: cri.runtime,
        clock,
        logger,
        auth,
        access: new PodAccess(manager, cache),
        stats,
        pods: () => manager.pods(),
        runningPods: () => runningPods(cache),
        podChanged: (uid, s) => this.#signals.next(uid, s),
        containerRunning: (id) => cache.find(id)?.container?.phase === 'running',
        waitingReason: (pod, container) =>
          [...(status.get(pod.metadata?.uid ?? '')?.containerStatuses ?? []), ...(status.get(pod.metadata?.uid ?? '')?.initContainerStatuses ?? [])].find(
            (c) => c.name === container,
          )?.state?.waiting?.reason,
        metrics: () => metrics.registry.expose(),
        probeMetrics: () => this.#probeMetrics.metrics(),
        unhealthy: () => (pleg.healthy() ? [] : ['[-]pleg failed']),
        ...(this.#deps.configuration ? { configuration: this.#deps.configuration } : {}),
        ...(this.#deps.flags ? { flags: this.#deps.flags } : {}),
        ...(this.#deps.servingCertificate ? { servingCertificate: this.#deps.servingCertificate } : {}),
      },
      options,
    );
    await this.#server.start();
    // One look before any pod is worked on: what runs already is adopted, not made again.
    await pleg.relist(signal).catch((error: unknown) => logger.warn('the container runtime does not answer yet', { err: error }));
    await monitor.check(signal);

    pods.addHandler({ add: (pod) => manager.apiPodSet(pod), update: (_old, pod) => manager.apiPodSet(pod), delete: (pod) => manager.apiPodGone(pod) });
    nodes.addHandler({ add: (n) => this.#nodeSeen(n), update: (_old, n) => this.#nodeSeen(n) });
    const stop = this.#stopping.signal;
    const loop = (name: string, run: Promise<unknown>) => {
      this.#loops.push(
        run.catch((error: unknown) => {
          if (stop.aborted) return;
          logger.error('a part of the kubelet ended', { part: name, err: error });
          this.#cell.set('failed', `${name}: ${(error as Error).message}`);
        }),
      );
    };
    loop('informers', this.#afterFirstLook(pleg, informers, pods, nodes, services, stop));
    loop('pleg', pleg.run(stop));
    loop('runtime monitor', monitor.run(stop));
    if (!this.#deps.standalone) loop('node status', agent.run(stop));
    if (!this.#deps.standalone)
      loop('node lease', new NodeLease(client, clock, logger, options.nodeName, options.nodeLeaseDurationSeconds, () => agent.reference()).run(stop));
    loop('eviction', eviction.run(stop));
    loop('image collection', collector.run(stop));
    loop(
      'log rotation',
      new LogRotation(cri.runtime, cache, clock, logger, {
        maxSizeBytes: options.containerLogMaxSizeBytes,
        maxFiles: options.containerLogMaxFiles,
        periodMs: options.containerLogMonitorIntervalMs,
      }).run(stop),
    );
    loop('housekeeping', this.#housekeeping(stop));
    loop(
      'plugin registration',
      this.#watchPlugins(new PluginWatcher(csiPaths.registry, { CSIPlugin: drivers, DRAPlugin: this.#dra.drivers }, clock, logger), stop),
    );
  }

  #apiEvents(): KubeletEvents {
    const { client, clock, random, logger } = this.#deps;
    const { nodeName, eventRecordQPS: qps, eventBurst: burst } = this.#options;
    this.#recorder = new ApiEventRecorder({ client, component: 'kubelet', host: nodeName, clock, random, logger, qps, burst });
    return apiEvents(this.#recorder, nodeName, (pod) => this.#manager?.apiPod(pod));
  }

  /** At the deadline what is still in flight (a sandbox the runtime is making) is left to the next kubelet. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort(new Error('the kubelet is stopping'));
    const late = new Promise<void>((resolve) => {
      if (deadline.aborted) resolve();
      else deadline.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#probes?.close();
    this.#volumes?.close();
    this.#objects?.close();
    await Promise.race([late, Promise.all([this.#manager?.close(), this.#server?.stop(), this.#informers?.stop(), ...this.#loops])]);
    this.#status?.close();
    this.#drivers?.close();
    this.#dra?.drivers.close();
    await Promise.race([late, this.#recorder?.stop(AbortSignal.timeout(500))]);
  }

  /** Pods are worked on only once the runtime was seen: else a pod that runs would be started a second time. */
  async #afterFirstLook(
    pleg: Pleg,
    informers: InformerFactory,
    pods: SharedInformer<Pod & { metadata: object }>,
    nodes: SharedInformer<Node & { metadata: object }>,
    services: SharedInformer<Service & { metadata: object }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, logger } = this.#deps;
    while (!pleg.healthy() && !signal.aborted) {
      await pleg.tryRelist(signal);
      if (!pleg.healthy()) await clock.sleep(500, signal).catch(() => {});
    }
    if (signal.aborted) return;
    if (this.#options.cgroupsPerQOS) await checkCgroupDriver(this.#deps.cri.runtime, this.#options.cgroupDriver, signal);
    const manager = this.#manager as PodManager;
    this.#loops.push(...runStaticSources(this.#options, clock, logger, (found, complete) => manager.setStatic(found, complete), signal));
    if (this.#deps.standalone) {
      this.#podCIDR.use(this.#options.podCIDR ?? '', undefined);
      manager.apiSynced();
      return;
    }
    // Admission wants the node, environments the services: they come first. Without an API server only static pods run.
    nodes.start();
    services.start();
    await Promise.all([nodes.synced(signal), services.synced(signal)]);
    informers.start();
    await pods.synced(signal);
    manager.apiSynced();
  }

  /** Drivers are told to the cluster as properties of the node: it has to be there. */
  async #watchPlugins(watcher: PluginWatcher, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#agent?.reference()) await this.#deps.clock.sleep(50, signal).catch(() => {});
    await Promise.all([watcher.run(signal), this.#dra?.drivers.wipeForgotten(signal)]);
  }

  async #housekeeping(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#deps.clock.sleep(this.#options.housekeepingMs, signal).catch(() => {});
      if (signal.aborted) return;
      this.#hostResolv = parseResolvConf(await readFile(this.#options.resolvConf, 'utf8').catch(() => ''));
      await this.#manager?.collectOrphans();
      await this.#volumes?.expandVolumes(signal);
    }
  }

  #runtimeTurned(monitor: RuntimeMonitor): void {
    const problems = monitor.problems();
    if (this.#cell.current.phase === 'ready' && problems.length > 0) this.#cell.set('degraded', problems.join(', '));
    else if (this.#cell.current.phase === 'degraded' && problems.length === 0) this.#cell.set('ready');
    this.#agent?.nudge();
    if (problems.length === 0) for (const worker of this.#manager?.workers() ?? []) worker.wake();
  }

  #nodeSeen(node: Node): void {
    this.#agent?.nodeSeen(node);
    this.#podCIDR.use(node.spec?.podCIDR ?? this.#options.podCIDR ?? '', node.spec?.podCIDRs);
  }
}

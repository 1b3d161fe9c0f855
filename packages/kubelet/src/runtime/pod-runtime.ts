import { mkdirSync, symlinkSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Container, Pod, RuntimeClass, Secret, Service, ConfigMap } from '@coxswain/api';
import { type Image, isRpcError, type RuntimeServiceClient } from '@coxswain/cri';
import type { Clock, Logger } from '@coxswain/sdk';
import type { KubeletEvents } from '../events.js';
import { ImageError, type ImageManager } from '../images/image-manager.js';
import type { RuntimeFacts } from '../node/node-object.js';
import type { Paths } from '../paths.js';
import type { KillAction, StartAction } from '../pod/decide.js';
import type { ObservedContainer, ObservedPod, ObservedSandbox } from '../pod/observed.js';
import type { PodCache } from '../pod/pod-cache.js';
import { findContainer, formatPod, gracePeriodOf, type PodId, podId } from '../pod/pod-spec.js';
import { containerResources, podCgroupPath, type ResourceOptions } from '../pod/resources.js';
import { ContainerConfigError } from '../render/config-error.js';
import { containerConfig, containerLogPath } from '../render/container-config.js';
import { podDns, type ResolvConf } from '../render/dns.js';
import { environment } from '../render/environment.js';
import { envFileKey } from '../render/env-file.js';
import type { FieldContext } from '../render/field-path.js';
import { hostNetworkHostsFile, hostsFile } from '../render/hosts-file.js';
import { kernelHostname, podHostname } from '../render/hostname.js';
import { type SandboxConfig, sandboxConfig } from '../render/sandbox-config.js';
import { checkNonRoot } from '../render/security.js';
import { containerDevices } from '../volumes/container-devices.js';
import { containerMounts } from '../volumes/container-mounts.js';
import type { UserNamespaces } from '../volumes/user-namespaces.js';
import type { MountedVolume } from '../volumes/volume-manager.js';
import type { HookRunner } from './hooks.js';
import type { Pleg } from './pleg.js';
import { requireUserNamespaces } from './user-namespace-support.js';
import { StartError } from './start-error.js';
import type { StartGate } from './start-gate.js';
import { TerminationOrder } from './termination-order.js';

export interface PodRuntimeOptions {
  readonly clusterDomain: string;
  readonly clusterDNS: readonly string[];
  readonly seccompDefault: boolean;
  /** '' when the runtime places its own groups. */
  readonly cgroupRoot: string | undefined;
  readonly resources: ResourceOptions;
  readonly mountVolumes: boolean;
}

export interface PodRuntimeDeps {
  readonly runtime: RuntimeServiceClient;
  readonly images: ImageManager;
  readonly pleg: Pleg;
  readonly cache: PodCache;
  readonly hooks: HookRunner;
  readonly gate: StartGate;
  readonly events: KubeletEvents;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hostResolvConf: () => ResolvConf;
  readonly services: () => readonly Service[];
  readonly configMap: (namespace: string, name: string) => Promise<ConfigMap | undefined>;
  readonly secret: (namespace: string, name: string) => Promise<Secret | undefined>;
  readonly runtimeClass: (name: string) => Promise<RuntimeClass | undefined>;
  readonly fieldContext: (pod: Pod) => FieldContext;
  readonly userNamespaces: UserNamespaces;
  /** What the runtime has said of its handlers. */
  readonly runtimeFacts: () => Pick<RuntimeFacts, 'handlers'> | undefined;
  /** CDI names of the devices that the container's claims are about. Throws when they are not ready. */
  readonly cdiDevices: (pod: Pod, container: Container) => readonly string[];
}

const STOP_SLACK_MS = 120_000;

/** Carries out decisions on the runtime: one pod's sandbox and containers. The answers go to the pod cache. */
export class PodRuntime {
  readonly #deps: PodRuntimeDeps;
  readonly #options: PodRuntimeOptions;
  /** Containers whose preStop hook was begun: a shorter grace period stops it, it is not run once more. */
  readonly #preStopped = new Set<string>();

  constructor(deps: PodRuntimeDeps, options: PodRuntimeOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The runtime handler a pod's RuntimeClass names; '' is the default one. */
  async runtimeHandler(pod: Pod): Promise<string> {
    const name = pod.spec?.runtimeClassName;
    if (!name) return '';
    const found = await this.#deps.runtimeClass(name);
    if (!found) throw new Error(`failed to get RuntimeClass: RuntimeClass.node.k8s.io "${name}" not found`);
    return found.handler;
  }

  async sandboxConfig(pod: Pod, attempt: number, warn: boolean): Promise<SandboxConfig> {
    if (pod.spec?.hostUsers === false) requireUserNamespaces(this.#deps.runtimeFacts(), await this.runtimeHandler(pod));
    const users = await this.#deps.userNamespaces.rangeOf(pod);
    const { paths, hostResolvConf, events } = this.#deps;
    const { clusterDNS, clusterDomain, cgroupRoot, seccompDefault, resources } = this.#options;
    const dns = podDns(pod, { clusterDNS, clusterDomain, host: hostResolvConf() });
    if (dns.warning && warn) events.pod(pod, 'Warning', dns.warning.includes('limits') ? 'DNSConfigForming' : 'MissingClusterDNS', dns.warning);
    return sandboxConfig(pod, {
      attempt,
      hostname: kernelHostname(pod, podHostname(pod, clusterDomain)),
      dns,
      logDirectory: paths.podLogs(podId(pod)),
      cgroupParent: cgroupRoot === undefined ? '' : podCgroupPath(cgroupRoot, pod),
      seccompRoot: paths.seccomp,
      seccompDefault,
      resources,
      ...(users ? { users } : {}),
    });
  }

  /** Makes the sandbox and learns its address. */
  async createSandbox(pod: Pod, config: SandboxConfig, runtimeHandler: string, signal: AbortSignal): Promise<ObservedSandbox> {
    const { runtime, pleg, cache, paths, gate } = this.#deps;
    const id = podId(pod);
    mkdirSync(paths.podLogs(id), { recursive: true, mode: 0o755 });
    // Not cut short by the signal: half a sandbox would be found only by the next list.
    const { podSandboxId } = await gate.run('sandbox', signal, () => runtime.runPodSandbox({ config, runtimeHandler }, { timeoutMs: 4 * 60_000 }));
    // An event that came with its addresses says as much as asking.
    if (!cache.find(podSandboxId)?.sandbox?.ips.length) await pleg.observeSandbox(id, podSandboxId);
    signal.throwIfAborted();
    const sandbox = cache.get(id.uid).sandboxes.find((s) => s.id === podSandboxId);
    if (!sandbox) throw new Error(`sandbox ${podSandboxId} vanished after its creation`);
    return sandbox;
  }

  /** Pulls, makes and starts one container, and runs its postStart hook. Rejects with a `StartError` after the events. */
  async startContainer(
    pod: Pod,
    action: StartAction,
    sandbox: ObservedSandbox,
    config: SandboxConfig,
    volumes: ReadonlyMap<string, MountedVolume>,
    signal: AbortSignal,
  ): Promise<void> {
    const { container } = action.ref;
    const { events, images, runtime, pleg, hooks, gate, cache } = this.#deps;
    const event = (type: 'Normal' | 'Warning', reason: string, message: string) => events.pod(pod, type, reason, message, container.name);
    const fail = (reason: string, message: string, retryMs?: number): never => {
      event('Warning', 'Failed', `Error: ${message}`);
      throw new StartError(reason, message, retryMs);
    };
    let image: Image;
    try {
      image = await images.ensure(pod, container, config, sandbox.runtimeHandler, signal);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      event('Warning', 'Failed', `Error: ${error.reason}`);
      throw new StartError(error.reason, error.message, error.retryMs);
    }
    let id: string;
    try {
      const rendered = await this.#render(pod, action, sandbox, image, volumes, signal);
      ({ containerId: id } = await gate.run('container', signal, () =>
        runtime.createContainer({ podSandboxId: sandbox.id, config: rendered, sandboxConfig: config }),
      ));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ContainerConfigError) return fail('CreateContainerConfigError', error.message);
      // Of a volume that is an image.
      if (error instanceof ImageError) {
        event('Warning', 'Failed', `Error: ${error.message}`);
        throw new StartError(error.reason, error.message, error.retryMs);
      }
      images.forget(container.image ?? '');
      return fail('CreateContainerError', (error as Error).message);
    }
    event('Normal', 'Created', `Container created`);
    try {
      await gate.run('container', signal, () => runtime.startContainer({ containerId: id }));
    } catch (error) {
      await pleg.observeContainer(podId(pod), id, sandbox.id).catch(() => {});
      signal.throwIfAborted();
      return fail('RunContainerError', (error as Error).message);
    }
    event('Normal', 'Started', `Container started`);
    const seen = cache.find(id)?.container?.phase;
    if (seen !== 'running' && seen !== 'exited') await pleg.observeContainer(podId(pod), id, sandbox.id);
    this.#linkLog(pod, container, id, action.restartCount);
    const hook = container.lifecycle?.postStart;
    if (!hook) return;
    try {
      const fellBack = (url: URL) => event('Warning', 'LifecycleHTTPFallback', fallbackText(url));
      await hooks.run(hook, { container, containerId: id, podIP: this.podIP(pod, sandbox), signal, fellBack });
    } catch (error) {
      signal.throwIfAborted();
      event('Warning', 'FailedPostStartHook', 'PostStartHook failed');
      this.#deps.logger.warn('postStart hook failed', { pod: formatPod(podId(pod)), container: container.name, err: error });
      await this.killContainer(pod, { id, name: container.name, message: 'FailedPostStartHook' }, gracePeriodOf(pod));
      throw new StartError('PostStartHookError', (error as Error).message);
    }
  }

  podIP(pod: Pod, sandbox: ObservedSandbox | undefined): string | undefined {
    return pod.spec?.hostNetwork ? this.#deps.fieldContext(pod).hostIPs[0] : sandbox?.ips[0];
  }

  async #render(pod: Pod, action: StartAction, sandbox: ObservedSandbox, image: Image, volumes: ReadonlyMap<string, MountedVolume>, signal: AbortSignal) {
    const { container } = action.ref;
    const { paths, fieldContext, services, events } = this.#deps;
    const { uid, namespace } = podId(pod);
    checkNonRoot(pod, container, image);
    const context = fieldContext(pod);
    const podIPs = pod.spec?.hostNetwork ? context.hostIPs : sandbox.ips;
    const env = await environment(pod, container, {
      ...context,
      podIPs,
      services: services(),
      configMap: (name) => this.#deps.configMap(namespace, name),
      secret: (name) => this.#deps.secret(namespace, name),
      invalidNames: (kind, name, keys) =>
        events.pod(
          pod,
          'Warning',
          'InvalidEnvironmentVariableNames',
          `Keys [${keys.join(', ')}] from the EnvFrom ${kind === 'ConfigMap' ? 'configMap' : 'secret'} ${namespace}/${name} were skipped since they are considered invalid environment variable names.`,
        ),
      fileKey: (volume, path, key) => envFileKey(volumes.get(volume)?.path, path, key),
    });
    const hostsPath = await this.#hostsFile(pod, podIPs);
    const mounts = await containerMounts(pod, container, {
      paths,
      volumes,
      env,
      restartCount: action.restartCount,
      mountVolumes: this.#options.mountVolumes,
      ...(hostsPath ? { hostsPath } : {}),
    });
    await this.#pullImageVolumes(pod, mounts, container, sandbox, signal);
    mkdirSync(join(paths.podLogs(podId(pod)), container.name), { recursive: true, mode: 0o755 });
    const target = pod.spec?.ephemeralContainers?.find((c) => c.name === container.name)?.targetContainerName;
    const targetId = target ? this.#deps.cache.get(uid).containers.find((c) => c.name === target && c.phase === 'running')?.id : undefined;
    if (target && !targetId) throw new ContainerConfigError(`unable to find target container ${target}`);
    const users = await this.#deps.userNamespaces.rangeOf(pod);
    return containerConfig(pod, container, {
      restartCount: action.restartCount,
      imageRef: image.id,
      image,
      env,
      mounts,
      devices: containerDevices(container, volumes),
      cdiDevices: this.#deps.cdiDevices(pod, container),
      resources: containerResources(pod, container, this.#options.resources),
      seccompRoot: paths.seccomp,
      seccompDefault: this.#options.seccompDefault,
      ...(targetId ? { targetId } : {}),
      ...(users ? { users } : {}),
    });
  }

  async #pullImageVolumes(
    pod: Pod,
    mounts: Awaited<ReturnType<typeof containerMounts>>,
    container: Container,
    sandbox: ObservedSandbox,
    signal: AbortSignal,
  ): Promise<void> {
    for (const mount of mounts) {
      if (!mount.image?.image) continue;
      const policy = pod.spec?.volumes?.find((v) => v.image?.reference === mount.image?.image)?.image?.pullPolicy;
      const image = await this.#deps.images.ensure(
        pod,
        { name: container.name, image: mount.image.image, ...(policy ? { imagePullPolicy: policy } : {}) },
        undefined,
        sandbox.runtimeHandler,
        signal,
      );
      mount.image = { image: image.id, userSpecifiedImage: mount.image.image };
    }
  }

  /** The managed /etc/hosts, written once per sandbox: containers share the file. */
  async #hostsFile(pod: Pod, podIPs: readonly string[]): Promise<string | undefined> {
    const { paths } = this.#deps;
    const path = paths.hosts(podId(pod).uid);
    const aliases = pod.spec?.hostAliases ?? [];
    const { hostname, domain } = podHostname(pod, this.#options.clusterDomain);
    const text = pod.spec?.hostNetwork
      ? hostNetworkHostsFile(await readFile('/etc/hosts', 'utf8').catch(() => ''), aliases)
      : hostsFile(podIPs, hostname, domain, aliases);
    // In place: a running container has this very file mounted.
    if ((await readFile(path, 'utf8').catch(() => undefined)) !== text) await writeFile(path, text, { mode: 0o644 });
    return path;
  }

  #linkLog(pod: Pod, container: Container, id: string, restartCount: number): void {
    const { paths, logger } = this.#deps;
    const link = paths.containerLogLink(podId(pod), container.name, id);
    const target = join(paths.podLogs(podId(pod)), containerLogPath(container.name, restartCount));
    try {
      mkdirSync(dirname(link), { recursive: true, mode: 0o755 });
      symlinkSync(target, link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') logger.debug('linking a log failed', { link, err: error });
    }
  }

  /** Runs preStop and stops the container within `grace` seconds. The pod's object may be gone: then only the runtime's labels are known. */
  async killContainer(
    pod: Pod | undefined,
    target: Pick<KillAction, 'id' | 'name' | 'message'>,
    grace: number,
    signal?: AbortSignal,
    order?: TerminationOrder,
  ): Promise<void> {
    const { runtime, hooks, clock, events, pleg, cache } = this.#deps;
    const ref = pod && findContainer(pod, target.name);
    if (pod) events.pod(pod, 'Normal', 'Killing', target.message || `Stopping container ${target.name}`, target.name);
    const began = clock.monotonic();
    const observed = pod && cache.get(podId(pod).uid);
    const preStop = ref?.container.lifecycle?.preStop;
    if (preStop && grace > 0 && ref && pod && !this.#preStopped.has(target.id)) {
      this.#preStopped.add(target.id);
      const sandbox = observed?.sandboxes[0];
      const timeout = new AbortController();
      const cancel = clock.setTimeout(() => timeout.abort(new Error(`PreStop hook did not complete in ${grace} seconds`)), grace * 1000);
      try {
        await hooks.run(preStop, {
          container: ref.container,
          containerId: target.id,
          podIP: this.podIP(pod, sandbox),
          timeoutMs: grace * 1000,
          fellBack: (url) => events.pod(pod, 'Warning', 'LifecycleHTTPFallback', fallbackText(url), target.name),
          signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
        });
      } catch (error) {
        signal?.throwIfAborted();
        events.pod(pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', target.name);
        this.#deps.logger.warn('preStop hook failed', { container: target.name, err: error });
      } finally {
        cancel();
      }
    }
    const rest = () => grace * 1000 - (clock.monotonic() - began);
    if (order && rest() > 0) await order.turn(target.name, rest(), signal);
    // What the hook and waiting took is gone, but the process always gets a moment to end by itself.
    const left = Math.max(grace <= 0 ? 0 : 2, Math.ceil(rest() / 1000));
    try {
      await runtime.stopContainer({ containerId: target.id, timeout: BigInt(left) }, { timeoutMs: left * 1000 + STOP_SLACK_MS, ...(signal ? { signal } : {}) });
    } catch (error) {
      if (!isRpcError(error, 'notFound')) throw error;
    }
    const known = cache.find(target.id);
    if (!known?.container) return;
    const of = cache.get(known.uid);
    await pleg.observeContainer({ uid: known.uid, name: of.name, namespace: of.namespace }, target.id, known.container.sandboxId);
  }

  /** Stops all containers, sidecars after those they serve, and then the sandboxes. */
  async stopPod(pod: Pod | undefined, observed: ObservedPod, grace: number, signal?: AbortSignal): Promise<void> {
    const running = observed.containers.filter((c) => c.phase === 'running' || c.phase === 'unknown');
    const names = running.map((c) => c.name);
    const order = pod && new TerminationOrder(pod, names, this.#deps.clock);
    const kill = ({ id, name }: ObservedContainer) =>
      this.killContainer(pod, { id, name, message: `Stopping container ${name}` }, grace, signal, order).finally(() => order?.ended(name));
    await Promise.all(running.map(kill));
    await this.stopSandboxes(observed);
  }

  async stopSandboxes(observed: ObservedPod): Promise<void> {
    const { runtime, cache } = this.#deps;
    await Promise.all(
      observed.sandboxes
        .filter((s) => s.ready)
        .map(async (s) => {
          try {
            await runtime.stopPodSandbox({ podSandboxId: s.id });
            cache.putSandbox(observed, { ...s, ready: false });
          } catch (error) {
            if (!isRpcError(error, 'notFound')) throw error;
            cache.remove(s.id);
          }
        }),
    );
  }

  /** Removes every container and sandbox of a stopped pod, and the links to its logs. */
  async removePod(observed: ObservedPod, id: PodId): Promise<void> {
    // Logs first: what the runtime still holds is found again after a crash, a lone folder of logs would not be.
    if (id.name !== '') await rm(this.#deps.paths.podLogs(id), { recursive: true, force: true });
    await Promise.all(observed.containers.map((c) => this.removeContainer(observed, c)));
    await Promise.all(observed.sandboxes.map((s) => this.removeSandbox(s.id)));
  }

  async removeSandbox(id: string): Promise<void> {
    try {
      await this.#deps.runtime.removePodSandbox({ podSandboxId: id });
    } catch (error) {
      if (!isRpcError(error, 'notFound')) throw error;
    }
    this.#deps.cache.remove(id);
  }

  /** Removes an ended container with its log files. */
  async removeContainer(observed: ObservedPod, container: ObservedContainer): Promise<void> {
    const { runtime, cache, paths } = this.#deps;
    try {
      await runtime.removeContainer({ containerId: container.id });
    } catch (error) {
      if (!isRpcError(error, 'notFound')) throw error;
    }
    cache.remove(container.id);
    this.#preStopped.delete(container.id);
    await rm(paths.containerLogLink(observed, container.name, container.id), { force: true });
    if (container.logPath) await removeLogs(container.logPath);
  }
}

const fallbackText = (url: URL) => `request to HTTPS lifecycle hook ${url.href} returned HTTP response, retry with HTTP succeeded`;

async function removeLogs(path: string): Promise<void> {
  const dir = dirname(path);
  const base = path.slice(dir.length + 1);
  for (const name of await readdir(dir).catch(() => [])) {
    if (name === base || name.startsWith(`${base}.`)) await rm(join(dir, name), { force: true });
  }
}

import { readdir, rm, mkdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { CriError, type PodSandboxConfig, byIdOrPrefix } from '@coxswain/cri';
import { isPinnedNamespace, type PinnableNamespace, sysctlNamespace } from '@coxswain/linux';
import type { Clock, Logger } from '@coxswain/sdk';
import { keepNull } from '../container/stdio-owners.js';
import { readJson, writeJson } from '../util/json-file.js';
import { KeyedMutex } from '../util/mutex.js';
import { sandboxHostname, usesHostIpc, usesHostNetwork, writeSandboxFiles } from './sandbox-files.js';
import type { SandboxHolder } from './sandbox-holder.js';
import type { SandboxNetwork } from './sandbox-network.js';
import { requestedUsers } from './user-mappings.js';
import { loadSandbox, type SandboxRecord, type StoredSandbox, storeSandbox } from './sandbox-record.js';

export interface SandboxManagerOptions {
  /** Survives reboots: what a sandbox is. */
  readonly rootDir: string;
  /** Does not: a folder for each sandbox, of its files and of what its holder keeps. */
  readonly stateDir: string;
  readonly network: SandboxNetwork;
  readonly holder: SandboxHolder;
  /** RuntimeClass handlers that can be asked for; the empty one is always allowed. */
  readonly handlers: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Where containers' control groups go when the kubelet names no parent. */
const DEFAULT_CGROUP_PARENT = '/k8s.io';

/** What is known of a sandbox that goes; without a config nothing but the id. */
type Dismantled = Pick<SandboxRecord, 'id' | 'namespaces' | 'attached' | 'hasPause'> & { readonly config?: PodSandboxConfig };

/** Holds a name while its sandbox has no id yet. */
const UNNAMED = 'a sandbox that is being made';

/**
 * Pod sandboxes: namespaces that a holder has, files, and a place on the network. What a sandbox is lies on disk, or in the runtime with
 * what carries its id, before anything else is made of it, so a crash leaves nothing unknown.
 */
export class SandboxManager {
  readonly #sandboxes = new Map<string, SandboxRecord>();
  readonly #names = new Map<string, string>();
  readonly #locks = new KeyedMutex();

  constructor(private readonly options: SandboxManagerOptions) {}

  all(): SandboxRecord[] {
    return [...this.#sandboxes.values()].filter((s) => s.state !== 'making');
  }

  find(id: string): SandboxRecord | undefined {
    return byIdOrPrefix(this.#sandboxes, id);
  }

  require(id: string): SandboxRecord {
    const sandbox = this.find(id);
    if (!sandbox || sandbox.state === 'making')
      throw new CriError('notFound', `an error occurred when try to find sandbox: sandbox ${JSON.stringify(id)} not found`);
    return sandbox;
  }

  /** Why pods of a RuntimeClass handler cannot have user namespaces; undefined: they can. */
  usersProblem(runtimeHandler: string): Promise<string | undefined> {
    return this.options.holder.usersProblem(runtimeHandler);
  }

  filesDir(sandbox: SandboxRecord): string {
    return join(this.#stateDir(sandbox.id), 'files');
  }

  /** Undefined: the runtime mounts it by itself. */
  shmPath(sandbox: SandboxRecord): string | undefined {
    const own = this.options.holder.shmPath(sandbox.id);
    return own !== undefined && usesHostIpc(sandbox.config) ? '/dev/shm' : own;
  }

  cgroupsPath(sandbox: SandboxRecord, containerId: string): string {
    return posix.join('/', sandbox.config.linux?.cgroupParent || DEFAULT_CGROUP_PARENT, containerId);
  }

  /** After a restart: adopt what is whole, clean up what is half made, notice what a reboot took. */
  async recover(): Promise<void> {
    const ids = await readdir(join(this.options.rootDir)).catch(() => [] as string[]);
    for (const id of ids) {
      const stored = await readJson<StoredSandbox>(join(this.#rootDir(id), 'sandbox.json'));
      if (!stored) {
        await this.#erase({ id, namespaces: {}, attached: false, hasPause: true });
        continue;
      }
      const record = loadSandbox(stored);
      if (record.state === 'making') {
        this.options.logger.warn('cleaning up a sandbox that was half made', { sandbox: id });
        await this.#erase(record);
        continue;
      }
      if (record.state === 'ready' && !(await this.options.holder.alive(record))) {
        record.state = 'notready';
        await this.#save(record);
      }
      this.#sandboxes.set(id, record);
      this.#names.set(nameOf(record.config), id);
    }
    for (const { id, config } of await this.options.holder.found()) {
      if (this.#sandboxes.has(id)) continue;
      this.options.logger.warn('removing a sandbox that has no record', { sandbox: id });
      await this.#erase({ id, config, namespaces: {}, attached: true, hasPause: true });
    }
  }

  async run(config: PodSandboxConfig, runtimeHandler: string, signal: AbortSignal): Promise<SandboxRecord> {
    const { clock, network, holder } = this.options;
    if (!config.metadata?.name || !config.metadata.uid) throw new CriError('invalidArgument', 'the sandbox config must have metadata with name and uid');
    const security = config.linux?.securityContext;
    if (security?.runAsGroup && !security.runAsUser) throw new CriError('invalidArgument', 'the sandbox has runAsGroup without runAsUser');
    if (runtimeHandler !== '' && !this.options.handlers.includes(runtimeHandler))
      throw new CriError('unknown', `failed to get sandbox runtime: no runtime for ${JSON.stringify(runtimeHandler)} is configured`);
    const users = requestedUsers(security?.namespaceOptions);
    const unable = users && (await this.usersProblem(runtimeHandler));
    if (unable !== undefined)
      throw new CriError('unimplemented', `pods of runtime handler ${JSON.stringify(runtimeHandler)} cannot have user namespaces: ${unable}`);
    const kinds: PinnableNamespace[] = [...(usesHostNetwork(config) ? [] : (['net', 'uts'] as const)), ...(usesHostIpc(config) ? [] : (['ipc'] as const))];
    const wish = { kinds, sysctls: checkSysctls(config.linux?.sysctls ?? {}, kinds), hostname: sandboxHostname(config), ...(users ? { users } : {}) };
    const name = nameOf(config);
    const owner = this.#names.get(name);
    if (owner) throw new CriError('unknown', `failed to reserve sandbox name ${JSON.stringify(name)}: name is reserved for ${JSON.stringify(owner)}`);
    this.#names.set(name, UNNAMED);
    let id: string;
    try {
      id = await holder.reserve(config, runtimeHandler, wish, signal);
    } catch (error) {
      this.#names.delete(name);
      throw error;
    }
    this.#names.set(name, id);
    const sandbox: SandboxRecord = {
      id,
      config,
      runtimeHandler,
      createdAt: BigInt(clock.now()) * 1_000_000n,
      state: 'making',
      namespaces: {},
      ips: [],
      // What has a network may have been attached to it: so it needs to be written down once only, before.
      attached: kinds.includes('net'),
      hasPause: false,
    };
    this.#sandboxes.set(id, sandbox);
    try {
      await mkdir(this.#rootDir(id), { recursive: true, mode: 0o711 });
      // Known before it exists: a crash from here on is cleaned up.
      await this.#save(sandbox);
      await mkdir(this.#stateDir(id), { recursive: true, mode: 0o711 });
      writeSandboxFiles(this.filesDir(sandbox), config, users);
      const { namespaces, pid } = await holder.hold(sandbox, wish);
      sandbox.namespaces = namespaces;
      if (pid !== undefined) Object.assign(sandbox, { pausePid: pid, hasPause: true });
      if (namespaces.net) {
        try {
          sandbox.ips = await network.attach(id, namespaces.net, config, signal);
        } catch (cause) {
          throw new CriError('unknown', `failed to setup network for sandbox ${JSON.stringify(id)}: ${(cause as Error).message}`, { cause });
        }
      }
      sandbox.state = 'ready';
      await this.#save(sandbox);
      return sandbox;
    } catch (error) {
      await this.#erase(sandbox).catch((cleanup: unknown) => this.options.logger.error('cleaning up a failed sandbox failed', { err: cleanup, sandbox: id }));
      this.#sandboxes.delete(id);
      this.#names.delete(name);
      throw error;
    }
  }

  /** The first process of the pod's PID namespace, started when the first container that shares it comes. Returns its pid. */
  ensurePause(sandbox: SandboxRecord): Promise<number> {
    return this.#locks.run(sandbox.id, async () => {
      if (sandbox.pausePid !== undefined) return sandbox.pausePid;
      if (sandbox.state !== 'ready') throw new CriError('unknown', `sandbox container ${JSON.stringify(sandbox.id)} is not running`);
      sandbox.hasPause = true;
      await this.#save(sandbox);
      const pid = await this.options.holder.start(sandbox, this.cgroupsPath(sandbox, `pause-${sandbox.id}`));
      keepNull();
      sandbox.pausePid = pid;
      await this.#save(sandbox);
      return pid;
    });
  }

  /** Containers must have been stopped. Idempotent. */
  stop(sandbox: SandboxRecord): Promise<void> {
    return this.#locks.run(sandbox.id, async () => {
      const done = sandbox.state === 'notready' && !sandbox.attached;
      // Before its process ends: that is no news then.
      sandbox.state = 'notready';
      await this.#dismantle(sandbox);
      if (done) return;
      sandbox.attached = false;
      sandbox.hasPause = false;
      delete sandbox.pausePid;
      sandbox.namespaces = {};
      await this.#save(sandbox);
    });
  }

  async remove(sandbox: SandboxRecord): Promise<void> {
    await this.stop(sandbox);
    await this.options.holder.forget(sandbox.id);
    await rm(this.#rootDir(sandbox.id), { recursive: true, force: true });
    this.#sandboxes.delete(sandbox.id);
    this.#names.delete(nameOf(sandbox.config));
  }

  /** The pause process has ended by itself: the pod's PID namespace is gone. */
  async pauseExited(sandboxId: string): Promise<SandboxRecord | undefined> {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox?.state !== 'ready') return undefined;
    sandbox.state = 'notready';
    await this.#save(sandbox);
    return sandbox;
  }

  async updateResources(sandbox: SandboxRecord, update: Pick<NonNullable<PodSandboxConfig['linux']>, 'overhead' | 'resources'>): Promise<void> {
    if (!sandbox.config.linux) return;
    if (update.overhead) sandbox.config.linux.overhead = update.overhead;
    if (update.resources) sandbox.config.linux.resources = update.resources;
    await this.#save(sandbox);
  }

  async #dismantle(sandbox: Dismantled): Promise<void> {
    const { network, holder } = this.options;
    const { id } = sandbox;
    if (sandbox.attached && sandbox.config) {
      const { net } = sandbox.namespaces;
      // After a reboot the namespace is gone; plugins must still give back addresses (CNI: empty CNI_NETNS).
      await network.detach(id, net && (await isPinnedNamespace(net)) ? net : '', sandbox.config);
    }
    await holder.release(id, !sandbox.config || sandbox.hasPause);
    await rm(this.#stateDir(id), { recursive: true, force: true });
  }

  async #erase(sandbox: Dismantled): Promise<void> {
    await this.#dismantle(sandbox);
    await this.options.holder.forget(sandbox.id);
    await rm(this.#rootDir(sandbox.id), { recursive: true, force: true });
  }

  #save(sandbox: SandboxRecord): Promise<void> {
    return writeJson(join(this.#rootDir(sandbox.id), 'sandbox.json'), storeSandbox(sandbox));
  }

  #rootDir(id: string): string {
    return join(this.options.rootDir, id);
  }

  #stateDir(id: string): string {
    return join(this.options.stateDir, id);
  }
}

function nameOf(config: PodSandboxConfig): string {
  const { name, namespace, uid, attempt } = config.metadata ?? { name: '', namespace: '', uid: '', attempt: 0 };
  return `${name}_${namespace}_${uid}_${attempt}`;
}

function checkSysctls(sysctls: Readonly<Record<string, string>>, kinds: readonly PinnableNamespace[]): Record<string, string> {
  for (const name of Object.keys(sysctls)) {
    const namespace = sysctlNamespace(name);
    if (!namespace) throw new CriError('invalidArgument', `sysctl ${JSON.stringify(name)} is not namespaced: it would change the host`);
    if (!kinds.includes(namespace))
      throw new CriError('invalidArgument', `sysctl ${JSON.stringify(name)} cannot be set: the pod uses the host's ${namespace} namespace`);
  }
  return { ...sysctls };
}

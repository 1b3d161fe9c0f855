import { join } from 'node:path';
import { NamespaceMode, type PodSandboxConfig } from '@coxswain/cri';
import type { FoundSandbox, HeldNamespaces, NamespaceWish, SandboxHolder, SandboxRecord } from '@coxswain/cri-runtime';
import { clampOomScoreAdj, createPinnedNamespaces, deletePinnedNamespaces, type PinnedNamespaces } from '@coxswain/linux';
import type { Clock, Random } from '@coxswain/sdk';
import { NO_LOG } from '../container/engine-config.js';
import { killShimOf } from '../dockerd/engine-processes.js';
import type { Engine } from '../engine/engine.js';
import { ignoring } from '../engine/engine-error.js';
import type { EngineContainerConfig } from '../engine/engine-types.js';
import { sandboxFilter, sandboxLabels, sandboxOf } from '../labels.js';
import { engineName, withFreeName } from '../names.js';

/** The kubelet's for what must outlive the pod's containers. */
const PAUSE_OOM_SCORE_ADJ = -998;
const NOBODY = '65535:65535';
const PAUSE_CPU_SHARES = 2;

export interface DockerHolderOptions {
  readonly engine: Engine;
  readonly pauseImage: string;
  /** Does not survive reboots: names of network namespaces. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** A pod's namespaces are those of a container that does nothing: the engine joins containers to containers, not to paths. */
export class DockerHolder implements SandboxHolder {
  constructor(private readonly options: DockerHolderOptions) {}

  async usersProblem(): Promise<string> {
    return 'the Docker Engine maps the users of all its containers, or of none';
  }

  async reserve(config: PodSandboxConfig, runtimeHandler: string, wish: NamespaceWish, signal: AbortSignal): Promise<string> {
    const { engine, pauseImage, random } = this.options;
    const oomScoreAdj = await clampOomScoreAdj(PAUSE_OOM_SCORE_ADJ);
    const body = pauseConfig({ config, runtimeHandler, wish, image: pauseImage, oomScoreAdj });
    return (await withFreeName(engineName(undefined, config.metadata), random, (name) => engine.containers.create(name, body, signal))).Id;
  }

  async hold(sandbox: SandboxRecord, wish: NamespaceWish): Promise<HeldNamespaces> {
    await this.options.engine.containers.start(sandbox.id);
    const pid = await this.#running(sandbox.id);
    const net = wish.kinds.includes('net') ? await this.#pinNetwork(sandbox.id, pid) : {};
    const path = (kind: string) => `/proc/${pid}/ns/${kind}`;
    return {
      pid,
      namespaces: {
        ...net,
        ...(wish.kinds.includes('uts') ? { uts: path('uts') } : {}),
        ...(wish.kinds.includes('ipc') ? { ipc: path('ipc') } : {}),
      },
    };
  }

  /** A name that stays the pod's until it is let go, whatever other process gets the pid. */
  async #pinNetwork(id: string, pid: number): Promise<PinnedNamespaces> {
    const pinned = await createPinnedNamespaces({ dir: join(this.#dir(id), 'ns'), kinds: ['net'], of: { pid, rootUid: 0 } });
    // Its container has run all the while, or it may be another process's.
    await this.#running(id, pid);
    return pinned;
  }

  /** The pid of a sandbox's container, which must run; as the process `pid`, if that is known. */
  async #running(id: string, pid?: number): Promise<number> {
    const { State } = await this.options.engine.containers.inspect(id);
    if (!State.Running || State.Pid !== (pid ?? State.Pid))
      throw new Error(`the sandbox's container ended at once: ${State.Error || `exit code ${State.ExitCode}`}`);
    return State.Pid;
  }

  async alive({ id, pausePid }: SandboxRecord): Promise<boolean> {
    const found = await this.options.engine.containers.inspect(id).catch(ignoring(404));
    return found?.State.Running === true && found.State.Pid === pausePid;
  }

  async start(sandbox: SandboxRecord): Promise<number> {
    return (await this.options.engine.containers.inspect(sandbox.id)).State.Pid;
  }

  async release(id: string): Promise<void> {
    // 409: it does not run.
    await this.options.engine.containers.kill(id, 9).catch(ignoring(404, 409));
    await deletePinnedNamespaces(join(this.#dir(id), 'ns'));
  }

  async forget(id: string): Promise<void> {
    await this.options.engine.containers.remove(id).catch(ignoring(404, 409));
    await killShimOf(id, this.options.clock);
  }

  async found(): Promise<FoundSandbox[]> {
    const listed = await this.options.engine.containers.list(sandboxFilter);
    return listed.flatMap(({ Id, Labels }) => {
      const config = sandboxOf(Labels);
      return config ? [{ id: Id, config }] : [];
    });
  }

  shmPath(): undefined {
    return undefined;
  }

  #dir(id: string): string {
    return join(this.options.stateDir, id);
  }
}

/** The container that holds a pod's namespaces. Pure. */
export function pauseConfig(input: {
  readonly config: PodSandboxConfig;
  readonly runtimeHandler: string;
  readonly wish: NamespaceWish;
  readonly image: string;
  readonly oomScoreAdj: number;
}): EngineContainerConfig {
  const { config, runtimeHandler, wish, image, oomScoreAdj } = input;
  const options = config.linux?.securityContext?.namespaceOptions;
  const ownNetwork = wish.kinds.includes('net');
  return {
    Image: image,
    User: NOBODY,
    ...(ownNetwork && wish.hostname ? { Hostname: wish.hostname } : {}),
    Labels: sandboxLabels(config),
    // Else the engine starts itself once more for each pod, to give a name of its own to a network it has no part in.
    NetworkDisabled: ownNetwork,
    HostConfig: {
      NetworkMode: ownNetwork ? 'none' : 'host',
      IpcMode: options?.ipc === NamespaceMode.NODE ? 'host' : 'shareable',
      LogConfig: NO_LOG,
      CgroupParent: config.linux?.cgroupParent || '/k8s.io',
      ...(runtimeHandler ? { Runtime: runtimeHandler } : {}),
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Sysctls: wish.sysctls,
      CpuShares: PAUSE_CPU_SHARES,
      OomScoreAdj: oomScoreAdj,
      RestartPolicy: { Name: 'no' },
    },
  };
}

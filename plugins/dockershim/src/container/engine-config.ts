import { CriError, NamespaceMode, type PodSandboxConfig, SecurityProfile_ProfileType as ProfileType } from '@coxswain/cri';
import { type ContainerMeta, stopSignalOf } from '@coxswain/cri-runtime';
import type { RuntimeSpec, SpecMount, SpecResources } from '@coxswain/oci';
import type { EngineContainerConfig, EngineHostConfig, EngineMount, EngineResources } from '../engine/engine-types.js';
import { containerLabels } from '../labels.js';

/** The engine's own log is only the way to ours: enough to bridge the time in which no server reads it. */
export const LOG_CONFIG = { Type: 'json-file', Config: { 'max-size': '32m', 'max-file': '2' } } as const;
export const NO_LOG = { Type: 'none', Config: {} } as const;

export interface EngineConfigInput {
  readonly meta: ContainerMeta;
  /** The runtime specification that the same container gets from a runtime that takes one. */
  readonly spec: RuntimeSpec;
  readonly sandbox: { readonly config: PodSandboxConfig; readonly runtimeHandler: string };
  readonly imageId: string;
  readonly engine: EngineLimits;
}

/** What this engine on this machine can give. */
export interface EngineLimits {
  /** The machine lets us have every capability there is. */
  readonly allCapabilities: boolean;
  /** Capabilities that are newer than the engine. */
  readonly unknownCapabilities: ReadonlySet<string>;
}

/**
 * A container in the engine's terms: the translation of its runtime specification, so that what CRI's fields mean is decided once, in
 * `cri-runtime`. Pure. Throws `invalidArgument` for what the engine cannot say.
 */
export function engineConfig(input: EngineConfigInput): EngineContainerConfig {
  const { meta, spec, sandbox, imageId } = input;
  const { config } = meta;
  const { process, linux } = spec;
  if (!process || !linux) throw new CriError('internal', 'a container specification without a process');
  refuse(spec);
  const [program = '', ...args] = process.args;
  return {
    Image: imageId,
    User: `${process.user.uid}:${process.user.gid}`,
    Env: process.env ?? [],
    Entrypoint: [program],
    Cmd: args,
    WorkingDir: process.cwd,
    Tty: config.tty,
    OpenStdin: config.stdin,
    StdinOnce: config.stdinOnce,
    Labels: containerLabels(meta),
    // Probes are the kubelet's.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      ...namespaces(meta, sandbox.config),
      Mounts: (spec.mounts ?? []).filter((m) => m.type === 'bind').map(engineMount),
      LogConfig: meta.logPath === '' ? NO_LOG : LOG_CONFIG,
      CgroupParent: meta.cgroupsPath.replace(/\/[^/]*$/, '') || '/',
      ...(sandbox.runtimeHandler ? { Runtime: sandbox.runtimeHandler } : {}),
      ReadonlyRootfs: spec.root?.readonly ?? false,
      GroupAdd: (process.user.additionalGids ?? []).map(String),
      SecurityOpt: securityOptions(meta, spec),
      MaskedPaths: linux.maskedPaths ?? [],
      ReadonlyPaths: linux.readonlyPaths ?? [],
      Devices: config.devices.map((d) => ({
        PathOnHost: d.hostPath,
        PathInContainer: d.containerPath || d.hostPath,
        CgroupPermissions: d.permissions || 'rwm',
      })),
      ...privilege(input),
      OomScoreAdj: process.oomScoreAdj ?? 0,
      RestartPolicy: { Name: 'no' },
      ...engineResources(linux.resources ?? {}),
    },
  };
}

/** Limits, of a new container or changed. Pure. */
export function engineResources({ cpu, memory, unified }: SpecResources): EngineResources {
  if (Object.keys(unified ?? {}).length > 0) throw unsaid('set cgroup v2 files by name (unified)');
  return {
    ...(cpu?.shares ? { CpuShares: cpu.shares } : {}),
    ...(cpu?.period ? { CpuPeriod: cpu.period } : {}),
    ...(cpu?.quota ? { CpuQuota: cpu.quota } : {}),
    ...(cpu?.cpus ? { CpusetCpus: cpu.cpus } : {}),
    ...(cpu?.mems ? { CpusetMems: cpu.mems } : {}),
    ...(memory?.limit ? { Memory: memory.limit, MemorySwap: memory.swap ?? memory.limit } : {}),
  };
}

export const stopSignal = (meta: ContainerMeta) => stopSignalOf(meta.config.stopSignal, meta.stopSignal);

const unsaid = (what: string) => new CriError('invalidArgument', `the Docker Engine cannot ${what}`);

function refuse({ process }: RuntimeSpec): void {
  if (process?.capabilities?.ambient?.length) throw unsaid('give ambient capabilities');
}

function namespaces({ config, sandboxId }: ContainerMeta, pod: PodSandboxConfig): Pick<EngineHostConfig, 'NetworkMode' | 'IpcMode' | 'PidMode'> {
  const options = config.linux?.securityContext?.namespaceOptions;
  const ofPod = pod.linux?.securityContext?.namespaceOptions;
  const shared = `container:${sandboxId}`;
  const pid = {
    [NamespaceMode.POD]: shared,
    [NamespaceMode.CONTAINER]: '',
    [NamespaceMode.NODE]: 'host',
    [NamespaceMode.TARGET]: `container:${options?.targetId ?? ''}`,
  }[options?.pid ?? NamespaceMode.POD];
  return {
    NetworkMode: ofPod?.network === NamespaceMode.NODE ? 'host' : shared,
    IpcMode: ofPod?.ipc === NamespaceMode.NODE ? 'host' : shared,
    PidMode: pid,
  };
}

/** Capabilities that were named, not meant by "all": the engine may not know them, and then says so. */
export const namedCapabilities = ({ config }: ContainerMeta): ReadonlySet<string> =>
  new Set(config.linux?.securityContext?.capabilities?.addCapabilities.map((c) => (c.startsWith('CAP_') ? c : `CAP_${c}`).toUpperCase()));

/**
 * What a privileged container is. The engine's own kind has all capabilities there are, which cannot be given where this machine was not
 * given all itself; there, everything it may have is said one by one.
 */
function privilege(input: EngineConfigInput): Partial<EngineHostConfig> {
  const { meta, spec, engine } = input;
  const privileged = meta.config.linux?.securityContext?.privileged ?? false;
  if (privileged && engine.allCapabilities) return { Privileged: true };
  const known = (spec.process?.capabilities?.bounding ?? []).filter((c) => !engine.unknownCapabilities.has(c));
  return {
    CapDrop: ['ALL'],
    CapAdd: known,
    ...(privileged
      ? {
          Devices: (spec.linux?.devices ?? []).map(({ path }) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rwm' })),
          DeviceCgroupRules: ['a *:* rwm'],
        }
      : {}),
  };
}

function engineMount(mount: SpecMount): EngineMount {
  const options = mount.options ?? [];
  const propagation = (['rshared', 'rslave'] as const).find((p) => options.includes(p)) ?? 'rprivate';
  return { Type: 'bind', Source: mount.source ?? '', Target: mount.destination, ReadOnly: options.includes('ro'), BindOptions: { Propagation: propagation } };
}

/** The default profile is the engine's own: it knows what its runtime can do. */
function securityOptions({ config }: ContainerMeta, { process, linux }: RuntimeSpec): string[] {
  const security = config.linux?.securityContext;
  const legacy = security?.seccompProfilePath;
  const isDefault = security?.seccomp
    ? security.seccomp.profileType === ProfileType.RuntimeDefault
    : legacy === 'runtime/default' || legacy === 'docker/default';
  const seccomp = linux?.seccomp === undefined ? ['seccomp=unconfined'] : isDefault ? [] : [`seccomp=${JSON.stringify(linux.seccomp)}`];
  const { apparmorProfile } = process ?? {};
  return [...seccomp, ...(apparmorProfile ? [`apparmor=${apparmorProfile}`] : []), ...(process?.noNewPrivileges ? ['no-new-privileges'] : [])];
}

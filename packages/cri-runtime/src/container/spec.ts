import { posix } from 'node:path';
import { readFile } from 'node:fs/promises';
import { type ContainerConfig, CriError, MountPropagation, type SecurityProfile, SecurityProfile_ProfileType as ProfileType } from '@coxswain/cri';
import { clampOomScoreAdj, mounts as hostMounts } from '@coxswain/linux';
import type { ImageConfig, RuntimeSpec, SpecLinux, SpecMount, SpecSeccomp } from '@coxswain/oci';
import { appArmorProfile } from './apparmor.js';
import { containerCapabilities } from './capabilities.js';
import { convertDevices, DEFAULT_DEVICE_RULES, hostDevices } from './devices.js';
import type { HostFacts } from './host-facts.js';
import { baseMounts, convertMount, orderMounts } from './mounts.js';
import { initialResources, specResources } from './resources.js';
import { defaultSeccomp } from './seccomp-default.js';
import { isMapped } from './mapped-mounts.js';
import { type PodUsers, specMappings } from '../sandbox/user-mappings.js';
import type { ResolvedUser } from './user.js';

/** Used when neither the image nor the pod sets PATH. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Namespaces the container joins; absent: the host's. */
export interface ContainerNamespaces {
  readonly network?: string;
  readonly ipc?: string;
  readonly uts?: string;
  /** The pod's own users; the namespaces above are this one's. */
  readonly user?: PodUsers;
  /** A path to join, `new`, or absent for the host's. */
  readonly pid?: string;
}

export interface SpecInput {
  readonly id: string;
  readonly config: ContainerConfig;
  readonly image: ImageConfig;
  readonly user: ResolvedUser;
  readonly namespaces: ContainerNamespaces;
  readonly hostname: string;
  readonly cgroupsPath: string;
  /** /etc/hosts, resolv.conf, shm…: left out where the container mounts its own. */
  readonly sandboxMounts: readonly SpecMount[];
  /** The image's volumes, then image mounts, made by the runtime. */
  readonly extraMounts: readonly SpecMount[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly facts: HostFacts;
  /** Where a mount of the config, by its index, will be with its owners mapped. */
  readonly mappedPath?: (index: number) => string;
  /** Where the root file system is; default `rootfs` in the bundle. */
  readonly rootfs?: string;
}

const MASKED = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
  '/proc/scsi',
  '/proc/interrupts',
];
const CGROUPS = '/sys/fs/cgroup';
const READONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** The runtime specification of one container: the translation of CRI's ContainerConfig. */
export async function containerSpec(input: SpecInput): Promise<RuntimeSpec> {
  const { config, image, facts, user } = input;
  const security = config.linux?.securityContext;
  const privileged = security?.privileged ?? false;
  const apparmorProfile = await appArmorProfile(security, facts.appArmor);
  const capabilities = containerCapabilities({
    privileged,
    add: security?.capabilities?.addCapabilities ?? [],
    drop: security?.capabilities?.dropCapabilities ?? [],
    available: facts.capabilities,
  });
  const ambient = (security?.capabilities?.addAmbientCapabilities ?? []).map((c) => (c.startsWith('CAP_') ? c : `CAP_${c}`));
  const oomScoreAdj = await clampOomScoreAdj(Number(config.linux?.resources?.oomScoreAdj ?? 0n));
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: config.tty,
      user: { uid: user.uid, gid: user.gid, additionalGids: [...user.additionalGids] },
      args: processArgs(config, image),
      env: processEnv(config, image, input.hostname),
      cwd: config.workingDir || image.WorkingDir || '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities, ...(ambient.length ? { ambient, inheritable: ambient } : {}) },
      noNewPrivileges: security?.noNewPrivs ?? false,
      ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
      oomScoreAdj,
    },
    root: { path: input.rootfs ?? 'rootfs', readonly: security?.readonlyRootfs ?? false },
    mounts: await specMounts(input, privileged),
    annotations: { ...input.annotations },
    linux: await specLinux(input, privileged, capabilities),
  };
}

/** Command line: CRI's command and args over the image's entrypoint and cmd. Pure. */
export function processArgs(config: Pick<ContainerConfig, 'command' | 'args'>, image: ImageConfig): string[] {
  const command = config.command.length > 0 ? config.command : (image.Entrypoint ?? []);
  const args = config.args.length > 0 || config.command.length > 0 ? config.args : (image.Cmd ?? []);
  const all = [...command, ...args];
  if (all.length === 0 || all[0] === '') throw new CriError('unknown', 'failed to generate container spec: no command specified');
  return all;
}

function processEnv(config: ContainerConfig, image: ImageConfig, hostname: string): string[] {
  const env = new Map<string, string>([['PATH', DEFAULT_PATH]]);
  if (hostname) env.set('HOSTNAME', hostname);
  if (config.tty) env.set('TERM', 'xterm');
  for (const entry of image.Env ?? []) {
    const at = entry.indexOf('=');
    if (at > 0) env.set(entry.slice(0, at), entry.slice(at + 1));
  }
  for (const { key, value } of config.envs) env.set(key, Buffer.from(value).toString('utf8'));
  return [...env].map(([key, value]) => `${key}=${value}`);
}

async function specMounts(input: SpecInput, privileged: boolean): Promise<SpecMount[]> {
  const { config, facts } = input;
  const own = config.mounts.filter((m) => !m.image?.image);
  // The mount table is only looked at for those that propagate.
  const info = own.some((m) => m.propagation !== MountPropagation.PROPAGATION_PRIVATE) ? await hostMounts() : [];
  const converted = await Promise.all(
    own.map(async (m) => {
      const { mount } = await convertMount(m, info);
      return isMapped(m) && input.mappedPath ? { ...mount, source: input.mappedPath(config.mounts.indexOf(m)) } : mount;
    }),
  );
  if (own.some((m) => m.recursiveReadOnly) && !facts.recursiveReadOnly) throw new CriError('unknown', 'recursive read-only mounts need Linux 5.12 or newer');
  const taken = new Set(config.mounts.map((m) => posix.normalize(m.containerPath)));
  const wanted = [...baseMounts({ sysReadonly: !privileged }), ...input.sandboxMounts].filter((m) => !taken.has(m.destination));
  // Of two mounts of one place the later is taken: the image's own volumes give way to what the pod asks for.
  return orderMounts([...wanted, ...input.extraMounts, ...converted]);
}

async function specLinux(input: SpecInput, privileged: boolean, capabilities: readonly string[]): Promise<SpecLinux> {
  const { config, facts, namespaces } = input;
  const security = config.linux?.securityContext;
  const { devices, rules } = await convertDevices(config.devices);
  const seccomp = privileged ? undefined : await seccompProfile(security?.seccomp, security?.seccompProfilePath ?? '', capabilities, facts);
  const join = (type: 'network' | 'ipc' | 'uts', path: string | undefined) => (path === undefined ? [] : [{ type, path }]);
  const propagations = config.mounts.map((m) => m.propagation);
  const rootfsPropagation = propagations.includes(MountPropagation.PROPAGATION_BIDIRECTIONAL)
    ? 'rshared'
    : propagations.includes(MountPropagation.PROPAGATION_HOST_TO_CONTAINER)
      ? 'rslave'
      : undefined;
  return {
    namespaces: [
      { type: 'mount' },
      ...(namespaces.user ? [{ type: 'user' as const, path: namespaces.user.path }] : []),
      ...join('network', namespaces.network),
      ...join('ipc', namespaces.ipc),
      ...join('uts', namespaces.uts),
      ...(namespaces.pid === undefined ? [] : namespaces.pid === 'new' ? [{ type: 'pid' as const }] : [{ type: 'pid' as const, path: namespaces.pid }]),
      ...(facts.cgroups.version === 2 && !privileged ? [{ type: 'cgroup' as const }] : []),
    ],
    ...(namespaces.user ? { uidMappings: specMappings(namespaces.user.uids), gidMappings: specMappings(namespaces.user.gids) } : {}),
    cgroupsPath: input.cgroupsPath,
    devices: privileged ? await hostDevices() : devices,
    resources: {
      devices: privileged ? [{ allow: true, access: 'rwm' }] : [...DEFAULT_DEVICE_RULES, ...rules],
      ...initialResources(specResources(config.linux?.resources, { hugetlb: facts.hugetlb, swap: facts.swapAccounting })),
    },
    ...(seccomp ? { seccomp } : {}),
    ...(rootfsPropagation ? { rootfsPropagation } : {}),
    maskedPaths: privileged ? [] : maskOf(security?.maskedPaths, security !== undefined, MASKED),
    readonlyPaths: privileged ? [] : [...maskOf(security?.readonlyPaths, security !== undefined, READONLY), ...readonlyCgroups(config, facts)],
  };
}

/** cgroup v1 is a folder of mounts: they are read-only as they are asked to be, the folder is under crun only when it is named. */
const readonlyCgroups = (config: ContainerConfig, facts: HostFacts) =>
  facts.cgroups.version === 1 && !config.mounts.some((m) => posix.normalize(m.containerPath) === CGROUPS) ? [CGROUPS] : [];

/** The kubelet always sends its lists; a client that sends no security context gets ours. */
const maskOf = (given: readonly string[] | undefined, present: boolean, fallback: readonly string[]) => (present && given ? [...given] : [...fallback]);

async function seccompProfile(
  profile: SecurityProfile | undefined,
  legacy: string,
  capabilities: readonly string[],
  facts: HostFacts,
): Promise<SpecSeccomp | undefined> {
  const chosen = profile ?? legacySeccomp(legacy);
  if (!chosen || chosen.profileType === ProfileType.Unconfined) return undefined;
  if (!facts.seccomp) {
    if (chosen.profileType === ProfileType.Localhost) throw new CriError('unknown', 'seccomp is not supported by this kernel');
    return undefined;
  }
  if (chosen.profileType === ProfileType.RuntimeDefault) return defaultSeccomp(capabilities);
  const path = chosen.localhostRef.replace(/^localhost\//, '');
  try {
    return JSON.parse(await readFile(path, 'utf8')) as SpecSeccomp;
  } catch (cause) {
    throw new CriError('unknown', `cannot load seccomp profile ${JSON.stringify(path)}: ${(cause as Error).message}`, { cause });
  }
}

function legacySeccomp(text: string): { profileType: ProfileType; localhostRef: string } | undefined {
  if (text === '' || text === 'unconfined') return undefined;
  if (text === 'runtime/default' || text === 'docker/default') return { profileType: ProfileType.RuntimeDefault, localhostRef: '' };
  if (text.startsWith('localhost/')) return { profileType: ProfileType.Localhost, localhostRef: text };
  throw new CriError('invalidArgument', `unknown seccomp profile ${JSON.stringify(text)}`);
}

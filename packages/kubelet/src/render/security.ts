import type { Container, Pod, PodSecurityContext, SeccompProfile, SecurityContext, SELinuxOptions } from '@coxswain/api';
import {
  type Capability,
  type Image,
  type LinuxContainerSecurityContext,
  type NamespaceOption,
  NamespaceMode,
  type SecurityProfile,
  SecurityProfile_ProfileType,
  SupplementalGroupsPolicy,
} from '@coxswain/cri';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LinuxContainerSecurityContextSchema, NamespaceOptionSchema, SecurityProfileSchema } from '@coxswain/cri';
import { join } from 'node:path';
import { ContainerConfigError } from './config-error.js';
import { formatPod, podId } from '../pod/pod-spec.js';
import type { IdRange } from '../volumes/user-namespaces.js';

type SecurityInit = MessageInitShape<typeof LinuxContainerSecurityContextSchema>;
type NamespaceInit = MessageInitShape<typeof NamespaceOptionSchema>;
type ProfileInit = MessageInitShape<typeof SecurityProfileSchema>;

export type { Capability, LinuxContainerSecurityContext, NamespaceOption, SecurityProfile };

const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** Pod settings with the container's own on top. */
export interface EffectiveSecurity {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsNonRoot?: boolean;
  readonly seccomp?: SeccompProfile;
  readonly seLinux?: SELinuxOptions;
}

export function effectiveSecurity(pod: PodSecurityContext | undefined, own: SecurityContext | undefined): EffectiveSecurity {
  const user = own?.runAsUser ?? pod?.runAsUser;
  const group = own?.runAsGroup ?? pod?.runAsGroup;
  const nonRoot = own?.runAsNonRoot ?? pod?.runAsNonRoot;
  const seccomp = own?.seccompProfile ?? pod?.seccompProfile;
  const seLinux = own?.seLinuxOptions ?? pod?.seLinuxOptions;
  return {
    ...(user !== undefined ? { runAsUser: user } : {}),
    ...(group !== undefined ? { runAsGroup: group } : {}),
    ...(nonRoot !== undefined ? { runAsNonRoot: nonRoot } : {}),
    ...(seccomp ? { seccomp } : {}),
    ...(seLinux ? { seLinux } : {}),
  };
}

/** Refuses root where the spec forbids it. */
export function checkNonRoot(pod: Pod, container: Container, image: Pick<Image, 'uid' | 'username'> | undefined): void {
  const security = effectiveSecurity(pod.spec?.securityContext, container.securityContext);
  if (!security.runAsNonRoot) return;
  const where = `pod: "${formatPod(podId(pod))}", container: ${container.name}`;
  if (security.runAsUser !== undefined) {
    if (security.runAsUser === 0) throw new ContainerConfigError(`container's runAsUser breaks non-root policy (${where})`);
    return;
  }
  if (image?.uid) {
    if (image.uid.value === 0n) throw new ContainerConfigError(`container has runAsNonRoot and image will run as root (${where})`);
    return;
  }
  if (image?.username)
    throw new ContainerConfigError(`container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root (${where})`);
  // Neither: the image says nothing, so it runs as root.
  throw new ContainerConfigError(`container has runAsNonRoot and image will run as root (${where})`);
}

export function namespaceOptions(pod: Pod, targetId?: string, users?: IdRange): NamespaceInit {
  const spec = pod.spec ?? { containers: [] };
  return {
    network: spec.hostNetwork ? NamespaceMode.NODE : NamespaceMode.POD,
    ipc: spec.hostIPC ? NamespaceMode.NODE : NamespaceMode.POD,
    pid: targetId ? NamespaceMode.TARGET : spec.hostPID ? NamespaceMode.NODE : spec.shareProcessNamespace ? NamespaceMode.POD : NamespaceMode.CONTAINER,
    targetId: targetId ?? '',
    ...(users ? { usernsOptions: { mode: NamespaceMode.POD, uids: [idMapping(users)], gids: [idMapping(users)] } } : {}),
  };
}

export const idMapping = (range: IdRange) => ({ hostId: range.hostId, containerId: range.containerId, length: range.length });

/** RuntimeDefault when `seccompDefault` is on; else unconfined unless the spec says otherwise. */
export function seccompProfile(
  profile: SeccompProfile | undefined,
  options: { readonly seccompRoot: string; readonly seccompDefault: boolean; readonly privileged: boolean },
): ProfileInit {
  const { ProfileType } = { ProfileType: SecurityProfile_ProfileType };
  if (options.privileged) return { profileType: ProfileType.Unconfined };
  if (!profile) return { profileType: options.seccompDefault ? ProfileType.RuntimeDefault : ProfileType.Unconfined };
  if (profile.type === 'RuntimeDefault') return { profileType: ProfileType.RuntimeDefault };
  if (profile.type === 'Localhost') {
    if (!profile.localhostProfile) throw new ContainerConfigError('localhostProfile must be set if seccompProfile type is Localhost.');
    return { profileType: ProfileType.Localhost, localhostRef: join(options.seccompRoot, profile.localhostProfile) };
  }
  return { profileType: ProfileType.Unconfined };
}

/** Group ids every container of the pod gets. */
export function supplementalGroups(pod: Pod, volumeGroups: readonly number[] = []): bigint[] {
  const context = pod.spec?.securityContext;
  return [...new Set([...(context?.supplementalGroups ?? []), ...(context?.fsGroup !== undefined ? [context.fsGroup] : []), ...volumeGroups])].map(BigInt);
}

export function supplementalGroupsPolicy(pod: Pod): SupplementalGroupsPolicy {
  return pod.spec?.securityContext?.supplementalGroupsPolicy === 'Strict' ? SupplementalGroupsPolicy.Strict : SupplementalGroupsPolicy.Merge;
}

export interface ContainerSecurityInput {
  readonly seccompRoot: string;
  readonly seccompDefault: boolean;
  /** The container whose process namespace an ephemeral container joins. */
  readonly targetId?: string;
  readonly image?: Pick<Image, 'uid' | 'username'>;
  /** The pod's own user ids. */
  readonly users?: IdRange;
}

export function containerSecurity(pod: Pod, container: Container, input: ContainerSecurityInput): SecurityInit {
  const own = container.securityContext;
  const security = effectiveSecurity(pod.spec?.securityContext, own);
  const privileged = own?.privileged ?? false;
  const unmasked = own?.procMount === 'Unmasked' || privileged;
  const user = security.runAsUser !== undefined ? { runAsUser: { value: BigInt(security.runAsUser) } } : imageUser(input.image);
  return {
    privileged,
    readonlyRootfs: own?.readOnlyRootFilesystem ?? false,
    capabilities: { addCapabilities: [...(own?.capabilities?.add ?? [])], dropCapabilities: [...(own?.capabilities?.drop ?? [])] },
    namespaceOptions: namespaceOptions(pod, input.targetId, input.users),
    ...user,
    ...(security.runAsGroup !== undefined ? { runAsGroup: { value: BigInt(security.runAsGroup) } } : {}),
    ...(security.seLinux ? { selinuxOptions: selinux(security.seLinux) } : {}),
    supplementalGroups: supplementalGroups(pod),
    supplementalGroupsPolicy: supplementalGroupsPolicy(pod),
    noNewPrivs: own?.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : MASKED_PATHS,
    readonlyPaths: unmasked ? [] : READONLY_PATHS,
    seccomp: seccompProfile(security.seccomp, { ...input, privileged }),
    apparmor: apparmor(pod, container, privileged),
  };
}

function imageUser(image: Pick<Image, 'uid' | 'username'> | undefined): Pick<SecurityInit, 'runAsUser' | 'runAsUsername'> {
  if (image?.uid) return { runAsUser: { value: image.uid.value } };
  return image?.username ? { runAsUsername: image.username } : {};
}

function apparmor(pod: Pod, container: Container, privileged: boolean): ProfileInit {
  const profile = container.securityContext?.appArmorProfile ?? pod.spec?.securityContext?.appArmorProfile;
  const type = SecurityProfile_ProfileType;
  if (!profile) return { profileType: privileged ? type.Unconfined : type.RuntimeDefault };
  if (profile.type === 'Localhost') return { profileType: type.Localhost, localhostRef: profile.localhostProfile ?? '' };
  return { profileType: profile.type === 'Unconfined' ? type.Unconfined : type.RuntimeDefault };
}

export const selinux = (o: SELinuxOptions) => ({ user: o.user ?? '', role: o.role ?? '', type: o.type ?? '', level: o.level ?? '' });

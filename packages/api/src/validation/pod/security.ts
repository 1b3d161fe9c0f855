import type { AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext } from '../../generated/types.js';
import { invalid, notSupported, required, tooLong } from '../errors.js';
import { byteLength, rangeError } from '../names.js';
import { addDescendingPath } from '../paths.js';
import { addOptionalEnum, type Sink } from '../sink.js';
import { addWindowsOptions } from './operating-system.js';
import type { PodOptions } from './options.js';
import { addSysctls } from './sysctls.js';

const MAX_ID = 2147483647;

/** Of a user or a group. */
export function addId(sink: Sink, field: string, id: number | undefined): void {
  if (id !== undefined && (id < 0 || id > MAX_ID)) sink.push(invalid(field, id, rangeError(0, MAX_ID)));
}

export function addSecurityContext(sink: Sink, field: string, context: SecurityContext | undefined, hostUsers: boolean): void {
  if (!context) return;
  addId(sink, `${field}.runAsUser`, context.runAsUser);
  addId(sink, `${field}.runAsGroup`, context.runAsGroup);
  const { procMount } = context;
  addOptionalEnum(sink, `${field}.procMount`, procMount, ['Default', 'Unmasked']);
  if (hostUsers && procMount === 'Unmasked') sink.push(invalid(`${field}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'));
  addSeccomp(sink, `${field}.seccompProfile`, context.seccompProfile);
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) sink.push(invalid(field, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
    for (const name of context.capabilities?.add ?? []) {
      if (name === 'CAP_SYS_ADMIN') sink.push(invalid(field, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'));
    }
  }
  addWindowsOptions(sink, `${field}.windowsOptions`, context.windowsOptions);
  addAppArmor(sink, `${field}.appArmorProfile`, context.appArmorProfile);
}

export function addPodSecurityContext(sink: Sink, field: string, spec: PodSpec, options: PodOptions): void {
  const { securityContext: context, shareProcessNamespace, hostPID } = spec;
  if (shareProcessNamespace && hostPID) {
    sink.push(invalid(`${field}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'));
  }
  if (context) addOwn(sink, field, context, spec, options);
}

function addOwn(sink: Sink, field: string, context: PodSecurityContext, spec: PodSpec, options: PodOptions): void {
  addId(sink, `${field}.fsGroup`, context.fsGroup);
  addId(sink, `${field}.runAsUser`, context.runAsUser);
  addId(sink, `${field}.runAsGroup`, context.runAsGroup);
  if (context.supplementalGroups) for (const [index, id] of context.supplementalGroups.entries()) addId(sink, `${field}.supplementalGroups[${index}]`, id);
  if (context.sysctls) addSysctls(sink, `${field}.sysctls`, context.sysctls, spec, options.anyHostSysctl);
  addOptionalEnum(sink, `${field}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']);
  addSeccomp(sink, `${field}.seccompProfile`, context.seccompProfile);
  addWindowsOptions(sink, `${field}.windowsOptions`, context.windowsOptions);
  addAppArmor(sink, `${field}.appArmorProfile`, context.appArmorProfile);
  addOptionalEnum(sink, `${field}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ['Merge', 'Strict']);
  // What mounts volumes with a context of SELinux's (SELinuxMount) is off, so there is only one way.
  const policies = options.anySELinuxChangePolicy ? ['MountOption', 'Recursive'] : ['Recursive'];
  addOptionalEnum(sink, `${field}.seLinuxChangePolicy`, context.seLinuxChangePolicy, policies);
}

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];

function addSeccomp(sink: Sink, field: string, profile: SeccompProfile | undefined): void {
  if (!profile) return;
  const { type, localhostProfile: localhost } = profile;
  if (!type) sink.push(required(`${field}.type`, 'type is required when seccompProfile is set'));
  else if (!PROFILE_TYPES.includes(type)) sink.push(notSupported(`${field}.type`, type, PROFILE_TYPES));
  if (type === 'Localhost') {
    if (localhost === undefined) sink.push(required(`${field}.localhostProfile`, 'must be set when seccomp type is Localhost'));
    else addDescendingPath(sink, `${field}.localhostProfile`, localhost);
  } else if (localhost !== undefined) sink.push(invalid(`${field}.localhostProfile`, profile, 'can only be set when seccomp type is Localhost'));
}

const MAX_PROFILE = 4095;

export function addAppArmor(sink: Sink, field: string, profile: AppArmorProfile | undefined): void {
  if (!profile) return;
  const { type, localhostProfile: localhost } = profile;
  if (!type) return void sink.push(required(`${field}.type`, 'type is required when appArmorProfile is set'));
  if (!PROFILE_TYPES.includes(type)) return void sink.push(notSupported(`${field}.type`, type, PROFILE_TYPES));
  if (type !== 'Localhost') {
    if (localhost !== undefined) sink.push(invalid(`${field}.localhostProfile`, localhost, 'can only be set when AppArmor type is Localhost'));
    return;
  }
  if (!localhost) return void sink.push(required(`${field}.localhostProfile`, 'must be set when AppArmor type is Localhost'));
  if (localhost.trim() !== localhost) sink.push(invalid(`${field}.localhostProfile`, localhost, 'must not be padded with whitespace'));
  if (byteLength(localhost) > MAX_PROFILE) sink.push(tooLong(`${field}.localhostProfile`, MAX_PROFILE));
}

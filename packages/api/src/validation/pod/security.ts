import type { FieldError } from '../../field-error.js';
import type { AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext } from '../../generated/types.js';
import { each, optionalEnum, requiredEnum } from '../common.js';
import { duplicate, invalid, required } from '../errors.js';
import { rangeError } from '../names.js';
import { validateWindowsOptions } from './operating-system.js';

const MAX_ID = 2147483647;

const validateId = (id: number | undefined, field: string): FieldError[] =>
  id !== undefined && (id < 0 || id > MAX_ID) ? [invalid(field, id, rangeError(0, MAX_ID))] : [];

export function validateSecurityContext(context: SecurityContext | undefined, field: string, hostUsers: boolean | undefined): FieldError[] {
  if (!context) return [];
  const errors = [...validateId(context.runAsUser, `${field}.runAsUser`), ...validateId(context.runAsGroup, `${field}.runAsGroup`)];
  errors.push(...optionalEnum(context.procMount, `${field}.procMount`, ['Default', 'Unmasked']));
  if (context.procMount === 'Unmasked' && hostUsers !== false) {
    errors.push(invalid(`${field}.procMount`, context.procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) {
      errors.push(invalid(field, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
    }
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      errors.push(invalid(field, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'));
    }
  }
  return [
    ...errors,
    ...validateSeccomp(context.seccompProfile, `${field}.seccompProfile`),
    ...validateAppArmor(context.appArmorProfile, `${field}.appArmorProfile`),
    ...validateWindowsOptions(context.windowsOptions, `${field}.windowsOptions`),
  ];
}

const SYSCTL_SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SYSCTL = `(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}`;
const sysctlRegExp = new RegExp(`^${SYSCTL}$`);

export function validatePodSecurityContext(spec: PodSpec, field: string): FieldError[] {
  const context: PodSecurityContext = spec.securityContext ?? {};
  const errors = [
    ...validateId(context.fsGroup, `${field}.fsGroup`),
    ...validateId(context.runAsUser, `${field}.runAsUser`),
    ...validateId(context.runAsGroup, `${field}.runAsGroup`),
    ...each(context.supplementalGroups, `${field}.supplementalGroups`, (id, path) => validateId(id, path)),
    ...validateSeccomp(context.seccompProfile, `${field}.seccompProfile`),
    ...validateAppArmor(context.appArmorProfile, `${field}.appArmorProfile`),
    ...validateWindowsOptions(context.windowsOptions, `${field}.windowsOptions`),
    ...optionalEnum(context.supplementalGroupsPolicy, `${field}.supplementalGroupsPolicy`, ['Merge', 'Strict']),
    ...optionalEnum(context.seLinuxChangePolicy, `${field}.seLinuxChangePolicy`, ['MountOption', 'Recursive']),
  ];
  if (context.fsGroupChangePolicy !== undefined) {
    errors.push(...requiredEnum(context.fsGroupChangePolicy, `${field}.fsGroupChangePolicy`, ['OnRootMismatch', 'Always']));
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    errors.push(invalid(`${field.replace(/securityContext$/, '')}shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'));
  }
  const seen = new Set<string>();
  errors.push(
    ...each(context.sysctls, `${field}.sysctls`, ({ name }, path) => {
      if (!name) return [required(`${path}.name`)];
      if (name.length > 253 || !sysctlRegExp.test(name)) {
        return [invalid(`${path}.name`, name, `must have at most 253 characters and match regex ^${SYSCTL}$`)];
      }
      if (seen.has(name)) return [duplicate(`${path}.name`, name)];
      seen.add(name);
      if (spec.hostNetwork && name.startsWith('net.')) {
        return [invalid(`${path}.name`, name, "may not be specified when 'hostNetwork' is true")];
      }
      if (spec.hostIPC && (name.startsWith('kernel.shm') || name.startsWith('kernel.msg') || name.startsWith('fs.mqueue.') || name === 'kernel.sem')) {
        return [invalid(`${path}.name`, name, "may not be specified when 'hostIPC' is true")];
      }
      return [];
    }),
  );
  return errors;
}

function validateSeccomp(profile: SeccompProfile | undefined, field: string): FieldError[] {
  if (!profile) return [];
  return validateProfile('seccomp', profile, field, (path) =>
    path.startsWith('/') ? 'must be a relative path' : path.split('/').includes('..') ? "must not contain '..'" : undefined,
  );
}

function validateAppArmor(profile: AppArmorProfile | undefined, field: string): FieldError[] {
  if (!profile) return [];
  return validateProfile('AppArmor', profile, field, (path) => (path.trim() !== path ? 'must not be padded with whitespace' : undefined));
}

function validateProfile(
  kind: 'seccomp' | 'AppArmor',
  profile: SeccompProfile | AppArmorProfile,
  field: string,
  wrong: (path: string) => string | undefined,
): FieldError[] {
  const { type, localhostProfile: localhost } = profile;
  const errors = requiredEnum(type, `${field}.type`, ['Localhost', 'RuntimeDefault', 'Unconfined']);
  if (type === 'Localhost') {
    if (!localhost) return [...errors, required(`${field}.localhostProfile`, `must be set when ${kind} type is Localhost`)];
    const detail = wrong(localhost);
    if (detail) errors.push(invalid(`${field}.localhostProfile`, localhost, detail));
  } else if (localhost !== undefined) {
    errors.push(invalid(`${field}.localhostProfile`, kind === 'seccomp' ? profile : localhost, `can only be set when ${kind} type is Localhost`));
  }
  return errors;
}

import type { FieldError } from '../../field-error.js';
import type { Container, PodSpec, WindowsSecurityContextOptions } from '../../generated/types.js';
import { forbidden, invalid, invalids } from '../errors.js';
import { isDNS1123Subdomain } from '../names.js';

const POD_WIDE = ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace', 'resources'] as const;
/** Their `false` is that of nobody having said anything. */
const PLAIN: ReadonlySet<string> = new Set(['hostPID', 'hostIPC']);
const OF_POD_CONTEXT = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const;
const OF_CONTAINER_CONTEXT = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

/** What the operating system that a pod names has no meaning for, and the rules of Windows' HostProcess containers. */
export function validateOperatingSystem(spec: PodSpec, field: string): FieldError[] {
  const errors = validateHostProcess(spec, field);
  if (spec.os?.name === 'linux') errors.push(...validateLinux(spec, field));
  if (spec.os?.name === 'windows') errors.push(...validateWindows(spec, field));
  return errors;
}

export function validateWindowsOptions(options: WindowsSecurityContextOptions | undefined, field: string): FieldError[] {
  if (!options) return [];
  const { gmsaCredentialSpec: credentials, gmsaCredentialSpecName: name, runAsUserName: user } = options;
  const errors = name === undefined ? [] : invalids(`${field}.gmsaCredentialSpecName`, name, isDNS1123Subdomain(name));
  if (credentials === '') errors.push(invalid(`${field}.gmsaCredentialSpec`, credentials, 'gmsaCredentialSpec cannot be an empty string'));
  else if (credentials !== undefined && credentials.length > 64 * 1024) {
    errors.push(invalid(`${field}.gmsaCredentialSpec`, credentials, 'gmsaCredentialSpec size must be under 64 KiB'));
  }
  const wrong = user === undefined ? undefined : wrongUserName(user);
  if (wrong) errors.push(invalid(`${field}.runAsUserName`, user, `runAsUserName${wrong}`));
  return errors;
}

/** `USER` or `DOMAIN\USER`. */
function wrongUserName(name: string): string | undefined {
  if (!name) return ' cannot be an empty string';
  if (/\p{Cc}/u.test(name)) return ' cannot contain control characters';
  const parts = name.split('\\');
  if (parts.length > 2) return ' cannot contain more than one backslash';
  const user = parts.at(-1) ?? '';
  const domain = parts.length === 2 ? parts[0] : undefined;
  if (domain !== undefined && domain.length >= 256) return "'s Domain length must be under 256 characters";
  if (domain !== undefined && !isDomain(domain)) return "'s Domain doesn't match the NetBios nor the DNS format";
  if (!user) return "'s User cannot be empty";
  if (user.length > 104) return "'s User length must not be longer than 104 characters";
  if (/["/:;|=,+*?<>@[\]]/.test(user)) return '\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]';
  return /^[. ]+$/.test(user) ? "'s User cannot contain only periods or spaces" : undefined;
}

const isDomain = (domain: string): boolean => /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/.test(domain) || isDNS1123Subdomain(domain.toLowerCase()).length === 0;

const containersOf = (spec: PodSpec, field: string): { readonly container: Pick<Container, 'securityContext'>; readonly path: string }[] =>
  (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, index) => ({ container, path: `${field}.${list}[${index}].securityContext` })),
  );

function validateLinux(spec: PodSpec, field: string): FieldError[] {
  const errors = containersOf(spec, field)
    .filter(({ container }) => container.securityContext?.windowsOptions)
    .map(({ path }) => forbidden(`${path}.windowsOptions`, 'cannot be set for a linux pod'));
  if (spec.securityContext?.windowsOptions) {
    errors.unshift(forbidden(`${field}.securityContext.windowsOptions`, 'windows options cannot be set for a linux pod'));
  }
  return errors;
}

function validateWindows(spec: PodSpec, field: string): FieldError[] {
  const refused = <K extends string>(object: { readonly [key in K]?: unknown } | undefined, keys: readonly K[], path: string): FieldError[] =>
    keys
      .filter((key) => isSet(object?.[key]) && (object?.[key] !== false || !PLAIN.has(key)))
      .map((key) => forbidden(`${path}.${key}`, 'cannot be set for a windows pod'));
  return [
    ...refused(spec, POD_WIDE, field),
    ...refused(spec.securityContext, OF_POD_CONTEXT, `${field}.securityContext`),
    ...containersOf(spec, field).flatMap(({ container, path }) => refused(container.securityContext, OF_CONTAINER_CONTEXT, path)),
  ];
}

const isSet = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0);

/** HostProcess is of all containers or of none, and of the host's network. */
function validateHostProcess(spec: PodSpec, field: string): FieldError[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const containers = containersOf(spec, field).map(({ container, path }) => ({ own: container.securityContext?.windowsOptions?.hostProcess, path }));
  const errors: FieldError[] = [];
  for (const { own, path } of containers) {
    if (ofPod === undefined || own === undefined || own === ofPod) continue;
    errors.push(invalid(`${path}.windowsOptions.hostProcess`, own, `pod hostProcess value must be identical if both are specified, was ${ofPod}`));
  }
  const count = containers.filter(({ own }) => own ?? ofPod).length;
  if (count === 0) return errors;
  if (count !== containers.length) {
    errors.push(invalid(field, '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers'));
  }
  if (!spec.hostNetwork) errors.push(invalid(`${field}.hostNetwork`, false, 'hostNetwork must be true if pod contains any hostProcess containers'));
  return errors;
}

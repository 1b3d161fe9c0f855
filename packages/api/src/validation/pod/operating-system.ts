import type { FieldError } from '../../field-error.js';
import type { PodSpec, WindowsSecurityContextOptions } from '../../generated/types.js';
import { forbidden, invalid, notSupported, required } from '../errors.js';
import { byteLength, isDNS1123Subdomain } from '../names.js';
import { addSyntax, type Sink } from '../sink.js';
import { visitContainers } from './visit.js';

const POD_WIDE = ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'] as const;
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
export function addOperatingSystem(sink: Sink, field: string, spec: PodSpec): void {
  addHostProcess(sink, field, spec);
  if (!spec.os) return;
  const { name } = spec.os;
  if (!name) sink.push(required(`${field}.os.name`));
  else if (name === 'linux') addLinux(sink, field, spec);
  else if (name === 'windows') sink.push(...validateWindows(spec, field));
  else sink.push(notSupported(`${field}.os`, name, ['linux', 'windows']));
}

const MAX_CREDENTIALS = 64 * 1024;

export function addWindowsOptions(sink: Sink, field: string, options: WindowsSecurityContextOptions | undefined): void {
  if (!options) return;
  const { gmsaCredentialSpec: credentials, gmsaCredentialSpecName: name, runAsUserName: user } = options;
  if (name !== undefined) addSyntax(sink, `${field}.gmsaCredentialSpecName`, name, isDNS1123Subdomain(name));
  if (credentials === '') sink.push(invalid(`${field}.gmsaCredentialSpec`, credentials, 'gmsaCredentialSpec cannot be an empty string'));
  else if (credentials !== undefined && byteLength(credentials) > MAX_CREDENTIALS) {
    sink.push(invalid(`${field}.gmsaCredentialSpec`, credentials, 'gmsaCredentialSpec size must be under 64 KiB'));
  }
  if (user !== undefined) for (const wrong of wrongUserName(user)) sink.push(invalid(`${field}.runAsUserName`, user, `runAsUserName${wrong}`));
}

/** `USER` or `DOMAIN\USER`. */
function wrongUserName(name: string): string[] {
  if (!name) return [' cannot be an empty string'];
  if (/\p{Cc}/u.test(name)) return [' cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return [' cannot contain more than one backslash'];
  const user = parts.at(-1) ?? '';
  const domain = parts.length === 2 ? parts[0] : undefined;
  const wrong: string[] = [];
  if (domain !== undefined && domain.length >= 256) wrong.push("'s Domain length must be under 256 characters");
  if (domain !== undefined && !isDomain(domain)) wrong.push("'s Domain doesn't match the NetBios nor the DNS format");
  if (!user) wrong.push("'s User cannot be empty");
  else if (user.length > 104) wrong.push("'s User length must not be longer than 104 characters");
  if (/^[. ]+$/.test(user)) wrong.push("'s User cannot contain only periods or spaces");
  if (/["/:;|=,+*?<>@[\]]/.test(user)) wrong.push('\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  return wrong;
}

const DNS_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const dnsRegExp = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);
const isDomain = (domain: string): boolean => /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/.test(domain) || dnsRegExp.test(domain);

const NO_WINDOWS_OPTIONS = 'windows options cannot be set for a linux pod';

function addLinux(sink: Sink, field: string, spec: PodSpec): void {
  if (spec.securityContext?.windowsOptions) sink.push(forbidden(`${field}.securityContext.windowsOptions`, NO_WINDOWS_OPTIONS));
  visitContainers(spec, field, ({ securityContext }, path) => {
    if (securityContext?.windowsOptions) sink.push(forbidden(`${path}.securityContext.windowsOptions`, NO_WINDOWS_OPTIONS));
  });
}

function validateWindows(spec: PodSpec, field: string): FieldError[] {
  const refused = <K extends string>(object: { readonly [key in K]?: unknown } | undefined, keys: readonly K[], path: string): FieldError[] =>
    keys
      .filter((key) => isSet(object?.[key]) && (object?.[key] !== false || !PLAIN.has(key)))
      .map((key) => forbidden(`${path}.${key}`, 'cannot be set for a windows pod'));
  const errors = [...refused(spec, POD_WIDE, field), ...refused(spec.securityContext, OF_POD_CONTEXT, `${field}.securityContext`)];
  visitContainers(spec, field, ({ securityContext }, path) => {
    errors.push(...refused(securityContext, OF_CONTAINER_CONTEXT, `${path}.securityContext`));
  });
  return errors;
}

const isSet = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0);

/** HostProcess is of all containers or of none, and of the host's network. */
function addHostProcess(sink: Sink, field: string, spec: PodSpec): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let [all, count] = [0, 0];
  visitContainers(spec, field, ({ securityContext }, path) => {
    const own = securityContext?.windowsOptions?.hostProcess;
    all++;
    if (own ?? ofPod) count++;
    if (ofPod === undefined || own === undefined || own === ofPod) return;
    const detail = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
    sink.push(invalid(`${path}.securityContext.windowsOptions.hostProcess`, own, detail));
  });
  if (count === 0) return;
  if (count !== all) {
    sink.push(invalid(field, '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers'));
  }
  if (!spec.hostNetwork) sink.push(invalid(`${field}.hostNetwork`, false, 'hostNetwork must be true if pod contains any hostProcess containers'));
}

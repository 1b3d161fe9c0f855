import type { ContainerPort, PodAffinityTerm, PodSpec, PodTemplateSpec, Volume } from '../../generated/types.js';
import { parseQuantity } from '../../quantity/quantity.js';
import { ipWarnings } from '../ip.js';
import { nodeLabelWarning, nodeSelectorTermWarnings } from '../node-labels.js';
import { claimWarnings } from '../persistent-volume-claim.js';
import { visitContainers } from './visit.js';
import { pathWarnings, tokenPathWarnings } from './warnings-paths.js';

type Template = Pick<PodTemplateSpec, 'metadata' | 'spec'>;

/** Uses of the API that work but should not be: for the `Warning` header. `prefix`: where the pod or the template is. */
export function podWarnings(template: Template | undefined, prefix: string): string[] {
  const spec = template?.spec;
  if (!template || !spec) return [];
  const at = prefix === '' ? 'spec' : `${prefix}.spec`;
  const annotations = template.metadata?.annotations ?? {};
  const metadata = `${prefix === '' ? '' : `${prefix}.`}metadata.annotations`;
  return [
    ...nodeWarnings(spec, at),
    ...annotationWarnings(annotations, metadata),
    ...(spec.volumes ?? []).flatMap((volume, index) => volumeWarnings(volume, `${at}.volumes[${index}]`)),
    ...tokenPathWarnings(spec, at),
    ...pathWarnings(spec),
    ...listWarnings(spec, at),
    ...profileWarnings(spec, annotations, metadata, prefix !== ''),
    ...containerWarnings(spec, at),
    ...portWarnings(spec, at),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...affinityWarnings(spec, at),
  ];
}

const NO_SELECTOR = 'a null labelSelector results in matching no pod';
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

function nodeWarnings({ nodeSelector, affinity, topologySpreadConstraints }: PodSpec, field: string): string[] {
  const warnings: string[] = [];
  for (const key in nodeSelector) {
    const warning = nodeLabelWarning(key);
    if (warning) warnings.push(`${field}.nodeSelector[${key}]: ${warning}`);
  }
  const nodes = affinity?.nodeAffinity;
  for (const [index, term] of (nodes?.[REQUIRED]?.nodeSelectorTerms ?? []).entries()) {
    warnings.push(...nodeSelectorTermWarnings(term, `${field}.affinity.nodeAffinity.${REQUIRED}.nodeSelectorTerms[${index}]`));
  }
  for (const [index, { preference }] of (nodes?.[PREFERRED] ?? []).entries()) {
    warnings.push(...nodeSelectorTermWarnings(preference, `${field}.affinity.nodeAffinity.${PREFERRED}[${index}].preference`, true));
  }
  for (const [index, { topologyKey, labelSelector }] of (topologySpreadConstraints ?? []).entries()) {
    const at = `${field}.topologySpreadConstraints[${index}]`;
    const warning = nodeLabelWarning(topologyKey);
    if (warning) warnings.push(`${at}.topologyKey: ${topologyKey} is ${warning}`);
    if (!labelSelector) warnings.push(`${at}.labelSelector: ${NO_SELECTOR}`);
  }
  return warnings;
}

const OLD_ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};

const annotationWarnings = (annotations: Readonly<Record<string, string>>, field: string): string[] =>
  Object.entries(OLD_ANNOTATIONS).flatMap(([key, warning]) => (annotations[key] === undefined ? [] : [`${field}[${key}]: ${warning}`]));

const OLD_VOLUMES: readonly (readonly [source: keyof Volume, shown: string, warning: string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

function volumeWarnings(volume: Volume, field: string): string[] {
  const warnings: string[] = [];
  for (const [source, shown, warning] of OLD_VOLUMES) if (volume[source]) warnings.push(`${field}.${shown}: ${warning}`);
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim) warnings.push(...claimWarnings(claim, `${field}.ephemeral.volumeClaimTemplate.spec`));
  return warnings;
}

const FRACTIONAL = ['memory', 'ephemeral-storage'] as const;

function fractionWarnings(amounts: Readonly<Record<string, string>> | undefined, field: string): string[] {
  if (!amounts) return [];
  return FRACTIONAL.flatMap((name) => {
    const amount = amounts[name];
    if (amount === undefined || parseQuantity(amount).nanos % 1_000_000_000n === 0n) return [];
    return [`${field}[${name}]: fractional byte value "${amount}" is invalid, must be an integer`];
  });
}

function listWarnings({ hostAliases = [], dnsConfig, imagePullSecrets = [], overhead }: PodSpec, field: string): string[] {
  const warnings: string[] = [];
  for (const [index, { ip }] of hostAliases.entries()) {
    if (hostAliases.findIndex((each) => each.ip === ip) < index) warnings.push(`${field}.hostAliases[${index}].ip: duplicate ip "${ip}"`);
    warnings.push(...ipWarnings(ip, `${field}.hostAliases[${index}].ip`));
  }
  for (const [index, address] of (dnsConfig?.nameservers ?? []).entries()) warnings.push(...ipWarnings(address, `${field}.dnsConfig.nameservers[${index}]`));
  for (const [index, { name = '' }] of imagePullSecrets.entries()) {
    const at = `${field}.imagePullSecrets[${index}].name`;
    if (imagePullSecrets.findIndex((each) => (each.name ?? '') === name) < index) warnings.push(`${at}: duplicate name "${name}"`);
    if (name === '') warnings.push(`${at}: invalid empty name ""`);
  }
  return [...warnings, ...fractionWarnings(overhead, `${field}.overhead`)];
}

const SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';

/** Annotations from before there were fields. A pod's for AppArmor becomes the field. */
function profileWarnings(spec: PodSpec, annotations: Readonly<Record<string, string>>, field: string, isTemplate: boolean): string[] {
  const warnings: string[] = [];
  if (annotations[SECCOMP_POD] !== undefined && !spec.securityContext?.seccompProfile) warnings.push(`${field}[${SECCOMP_POD}]: ${SECCOMP}`);
  visitContainers(spec, '', ({ name, securityContext }) => {
    const seccomp = `container.seccomp.security.alpha.kubernetes.io/${name}`;
    if (annotations[seccomp] !== undefined && !securityContext?.seccompProfile) warnings.push(`${field}[${seccomp}]: ${SECCOMP}`);
    const appArmor = `container.apparmor.security.beta.kubernetes.io/${name}`;
    if (!isTemplate || annotations[appArmor] === undefined || spec.securityContext?.appArmorProfile || securityContext?.appArmorProfile) return;
    warnings.push(`${field}[${appArmor}]: deprecated since v1.30; use the "appArmorProfile" field instead`);
  });
  return warnings;
}

function containerWarnings(spec: PodSpec, field: string): string[] {
  const warnings: string[] = [];
  visitContainers(spec, field, ({ resources, env }, path) => {
    warnings.push(...fractionWarnings(resources?.limits, `${path}.resources.limits`), ...fractionWarnings(resources?.requests, `${path}.resources.requests`));
    if (!env || env.length < 2) return;
    const names = new Set<string>();
    for (const [index, { name, value = '', valueFrom }] of env.entries()) {
      const reference = `$(${name})`;
      // One that is made of the one before keeps it in use.
      if (names.has(name) && (valueFrom || value === reference || !value.includes(reference))) {
        warnings.push(`${path}.env[${index}]: hides previous definition of "${name}", which may be dropped when using apply`);
      }
      names.add(name);
    }
  });
  return warnings;
}

/** As Go prints a struct. */
const shown = ({ name = '', hostPort = 0, containerPort, protocol = '', hostIP = '' }: ContainerPort): string =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;

function portWarnings(spec: PodSpec, field: string): string[] {
  const warnings: string[] = [];
  const known = new Map<string, { readonly at: string; readonly hostIP: string; readonly hostPort: number }[]>();
  visitContainers(spec, field, ({ ports }, path) => {
    if (!ports) return;
    for (const [index, port] of ports.entries()) {
      const at = `${path}.ports[${index}]`;
      const { hostIP = '', hostPort = 0 } = port;
      if (hostIP !== '' && hostPort === 0) warnings.push(`${at}: hostIP set without hostPort: ${shown(port)}`);
      const key = `${port.containerPort}/${port.protocol}`;
      const others = known.get(key) ?? [];
      for (const other of others) {
        const [sameIP, samePort] = [hostIP === other.hostIP, hostPort === other.hostPort];
        if (sameIP && samePort) warnings.push(`${at}: duplicate port definition with ${other.at}`);
        else if (hostPort === 0 || other.hostPort === 0) warnings.push(`${at}: overlapping port definition with ${other.at}`);
        else if (samePort && (hostIP === '' || other.hostIP === '')) warnings.push(`${at}: dangerously ambiguous port definition with ${other.at}`);
      }
      known.set(key, [...others, { at, hostIP, hostPort }]);
    }
  });
  return warnings;
}

function affinityWarnings({ affinity }: PodSpec, field: string): string[] {
  const without = (term: PodAffinityTerm | undefined, at: string): string[] => (term?.labelSelector ? [] : [`${at}.labelSelector: ${NO_SELECTOR}`]);
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((kind) => [
    ...(affinity?.[kind]?.[REQUIRED] ?? []).flatMap((term, index) => without(term, `${field}.affinity.${kind}.${REQUIRED}[${index}]`)),
    ...(affinity?.[kind]?.[PREFERRED] ?? []).flatMap(({ podAffinityTerm }, index) =>
      without(podAffinityTerm, `${field}.affinity.${kind}.${PREFERRED}[${index}].podAffinityTerm`),
    ),
  ]);
}

import type { FieldError } from '../../field-error.js';
import type { PodSpec } from '../../generated/types.js';
import { each, nonNegativeQuantity, optionalText, requiredEnum, requiredText, unique } from '../common.js';
import { duplicate, forbidden, invalid, invalids, notSupported, required } from '../errors.js';
import { validateIP } from '../ip.js';
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName, rangeError } from '../names.js';
import { validateLabels } from '../object-meta.js';
import { type PodScope, validateContainers, validateInitContainers } from './containers.js';
import { validateOperatingSystem } from './operating-system.js';
import { validatePodResources, validateResourceName } from './resources.js';
import { validateAffinity, validateTolerations, validateTopologySpread } from './scheduling.js';
import { validatePodSecurityContext } from './security.js';
import { validatePullSecrets, validateVolumes } from './volumes.js';

/** The rules of pods and of pod templates. */
export function validatePodSpec(spec: PodSpec, field: string): FieldError[] {
  const scope = scopeOf(spec);
  return [
    ...validateVolumes(spec.volumes, `${field}.volumes`),
    ...validateContainers(scope, `${field}.containers`),
    ...validateInitContainers(scope, `${field}.initContainers`),
    ...validateLifetime(spec, field),
    ...validateDns(spec, field),
    ...validateReferences(spec, field),
    ...validateAffinity(spec.affinity, `${field}.affinity`),
    ...validateTolerations(spec.tolerations, `${field}.tolerations`),
    ...validateTopologySpread(spec.topologySpreadConstraints, `${field}.topologySpreadConstraints`),
    ...validatePodSecurityContext(spec, `${field}.securityContext`),
    ...validatePodResources(spec, `${field}.resources`),
    ...validateOperatingSystem(spec, field),
    ...validateExtras(spec, field),
  ];
}

export const scopeOf = (spec: PodSpec): PodScope => ({
  spec,
  volumes: new Map((spec.volumes ?? []).map((volume) => [volume.name, volume])),
  claims: new Set((spec.resourceClaims ?? []).map(({ name }) => name)),
});

function validateLifetime({ restartPolicy, activeDeadlineSeconds: deadline, terminationGracePeriodSeconds: grace }: PodSpec, field: string): FieldError[] {
  const errors = requiredEnum(restartPolicy, `${field}.restartPolicy`, ['Always', 'OnFailure', 'Never']);
  if (deadline !== undefined && (deadline < 1 || deadline > 2147483647)) {
    errors.push(invalid(`${field}.activeDeadlineSeconds`, deadline, rangeError(1, 2147483647)));
  }
  if (grace !== undefined && grace < 0) errors.push(invalid(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than or equal to 0'));
  return errors;
}

const DNS_POLICIES = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];

function validateDns({ dnsPolicy, dnsConfig }: PodSpec, field: string): FieldError[] {
  const errors = requiredEnum(dnsPolicy, `${field}.dnsPolicy`, DNS_POLICIES);
  const path = `${field}.dnsConfig`;
  if (dnsPolicy === 'None') {
    if (!dnsConfig) return [...errors, required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    if ((dnsConfig.nameservers ?? []).length === 0) {
      errors.push(required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
    }
  }
  if (!dnsConfig) return errors;
  const { nameservers = [], searches = [], options } = dnsConfig;
  if (nameservers.length > 3) errors.push(invalid(`${path}.nameservers`, nameservers, 'must not have more than 3 nameservers'));
  errors.push(...each(nameservers, `${path}.nameservers`, (address, at) => validateIP(address, at)));
  if (searches.length > 32) errors.push(invalid(`${path}.searches`, searches, 'must not have more than 32 search paths'));
  if (searches.join(' ').length > 2048) {
    errors.push(invalid(`${path}.searches`, searches, 'must not have more than 2048 characters (including spaces) in the search list'));
  }
  errors.push(
    ...each(searches, `${path}.searches`, (search, at) => {
      const name = search === '.' ? 'root' : search.replace(/\.$/, '');
      return invalids(at, search, isDNS1123Subdomain(name.replaceAll('_', '-').replace(/(^|\.)-/g, '$1a')));
    }),
  );
  return [...errors, ...each(options, `${path}.options`, ({ name }, at) => (name ? [] : [required(at, 'must not be empty')]))];
}

function validateReferences(spec: PodSpec, field: string): FieldError[] {
  return [
    ...optionalText(spec.nodeName, `${field}.nodeName`, isDNS1123Subdomain),
    ...validateLabels(spec.nodeSelector, `${field}.nodeSelector`),
    ...optionalText(spec.serviceAccountName, `${field}.serviceAccountName`, isDNS1123Subdomain),
    ...optionalText(spec.hostname, `${field}.hostname`, isDNS1123Label),
    ...optionalText(spec.subdomain, `${field}.subdomain`, isDNS1123Label),
    ...optionalText(spec.priorityClassName, `${field}.priorityClassName`, isDNS1123Subdomain),
    ...optionalText(spec.runtimeClassName, `${field}.runtimeClassName`, isDNS1123Subdomain),
    ...validatePullSecrets(spec.imagePullSecrets, `${field}.imagePullSecrets`),
    ...each(spec.hostAliases, `${field}.hostAliases`, ({ ip, hostnames }, at) => [
      ...validateIP(ip, `${at}.ip`),
      ...each(hostnames, `${at}.hostnames`, (name, path) => invalids(path, name, isDNS1123Subdomain(name))),
    ]),
  ];
}

function validateExtras(spec: PodSpec, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.preemptionPolicy !== undefined && !['Never', 'PreemptLowerPriority'].includes(spec.preemptionPolicy)) {
    errors.push(notSupported(`${field}.preemptionPolicy`, spec.preemptionPolicy, ['Never', 'PreemptLowerPriority']));
  }
  if (spec.os) errors.push(...requiredEnum(spec.os.name, `${field}.os.name`, ['linux', 'windows']));
  if (spec.hostUsers === false) {
    for (const key of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
      if (spec[key]) errors.push(forbidden(`${field}.hostUsers`, `when \`hostUsers\` is false, \`${key}\` must be false`));
    }
  }
  if (spec.setHostnameAsFQDN && spec.hostnameOverride !== undefined) {
    errors.push(forbidden(`${field}.hostnameOverride`, 'may not be specified when `setHostnameAsFQDN` is true'));
  }
  if (spec.hostNetwork && spec.hostnameOverride !== undefined) {
    errors.push(forbidden(`${field}.hostnameOverride`, 'may not be specified when `hostNetwork` is true'));
  }
  errors.push(
    ...each(spec.readinessGates, `${field}.readinessGates`, ({ conditionType }, at) =>
      invalids(`${at}.conditionType`, conditionType, isQualifiedName(conditionType)),
    ),
    ...unique(
      spec.schedulingGates ?? [],
      ({ name }) => name,
      (index) => `${field}.schedulingGates[${index}]`,
    ),
    ...each(spec.schedulingGates, `${field}.schedulingGates`, ({ name }, at) => requiredText(name, at, isQualifiedName)),
    ...Object.entries(spec.overhead ?? {}).flatMap(([name, quantity]) => [
      ...validateResourceName(name, `${field}.overhead`),
      ...nonNegativeQuantity(quantity, `${field}.overhead[${name}]`),
    ]),
  );
  const names = new Set<string>();
  errors.push(
    ...each(spec.resourceClaims, `${field}.resourceClaims`, ({ name, resourceClaimName, resourceClaimTemplateName }, at) => {
      const found = requiredText(name, `${at}.name`, isDNS1123Label);
      if (names.has(name)) found.push(duplicate(`${at}.name`, name));
      names.add(name);
      if (resourceClaimName && resourceClaimTemplateName) {
        found.push(
          invalid(
            at,
            { name, resourceClaimName, resourceClaimTemplateName },
            'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
          ),
        );
      } else if (!resourceClaimName && !resourceClaimTemplateName) {
        found.push(required(at, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
      }
      return found;
    }),
  );
  return errors;
}

import type { FieldError } from '../field-error.js';
import type { Node, NodeConfigSource, NodeSpec, Taint } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { each, requiredText } from './common.js';
import { duplicate, forbidden, invalid, invalids, notSupported, required } from './errors.js';
import { cidrWarnings, parseCIDR, validateCIDR } from './ip.js';
import { isConfigMapKey, isDNS1123Label, isDNS1123Subdomain, isLabelValue, isQualifiedName } from './names.js';
import { addQuantity } from './resource-names.js';
import type { Sink } from './sink.js';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Upstream looks for taints below the metadata. */
export function validateNode({ spec, status }: Node): FieldError[] {
  const swap = status?.nodeInfo?.swap?.capacity;
  return [
    ...validateTaints(spec?.taints, 'metadata.taints'),
    ...validateResources(status),
    ...(swap !== undefined && swap <= 0 ? [invalid('metadata.nodeSwapStatus.capacity', swap, 'must be greater than zero')] : []),
    ...validateDeclaredFeatures(status?.declaredFeatures ?? []),
    ...validatePodCIDRs(spec?.podCIDRs ?? []),
  ];
}

function validateResources(status: Node['status']): FieldError[] {
  const sink: Sink = [];
  for (const kind of ['capacity', 'allocatable'] as const) {
    const amounts = status?.[kind];
    for (const name in amounts) addQuantity(sink, `status.${kind}.${name}`, name, amounts[name] as string);
  }
  return sink;
}

export function validateTaints(taints: readonly Taint[] | undefined, field: string): FieldError[] {
  const seen = new Set<string>();
  return each(taints, field, ({ key = '', value = '', effect = '' }, path) => {
    const errors = invalids(`${path}.key`, key, isQualifiedName(key));
    const wrong = isLabelValue(value);
    if (wrong.length > 0) errors.push(invalid(`${path}.value`, value, wrong.join(';')));
    if (!effect) errors.push(required(`${path}.effect`));
    else if (!EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, EFFECTS));
    const id = `${key}:${effect}`;
    if (seen.has(id)) {
      const again = duplicate(path, { key, ...(value && { value }), effect });
      errors.push({ ...again, message: `${again.message}: taints must be unique by key and effect pair` });
    }
    seen.add(id);
    return errors;
  });
}

const FEATURE = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z0-9]+)*$/;
const FEATURE_RULE =
  "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes";

/** In order, and none twice. */
function validateDeclaredFeatures(features: readonly string[]): FieldError[] {
  return each(features, 'status.declaredFeatures', (feature, path, index) => {
    const wrong = feature.length > 253 ? 'must be no more than 253 characters' : FEATURE.test(feature) ? undefined : FEATURE_RULE;
    const errors = wrong === undefined ? [] : [invalid(path, feature, `invalid feature name ${JSON.stringify(feature)}: ${wrong}`)];
    const before = features[index - 1];
    if (before === feature) errors.push(duplicate(path, feature));
    else if (before !== undefined && before > feature) errors.push(invalid(path, feature, 'list must be sorted alphabetically'));
    return errors;
  });
}

function validatePodCIDRs(cidrs: readonly string[]): FieldError[] {
  const errors = each(cidrs, 'spec.podCIDRs', (cidr, path) => validateCIDR(cidr, path));
  if (cidrs.length > 2 || (cidrs.length === 2 && parseCIDR(cidrs[0] ?? '')?.family === parseCIDR(cidrs[1] ?? '')?.family)) {
    errors.push(invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'));
  }
  return errors;
}

/** An address is said once, for each of its kinds. */
const uniqueAddresses = ({ status }: Node): FieldError[] =>
  each(status?.addresses, 'status.addresses', (address, path, index) =>
    (status?.addresses ?? []).slice(0, index).some((other) => deepEqual(other, address)) ? [duplicate(path, address)] : [],
  );

/** Fields that nothing reads, and ranges that should be written otherwise. */
export const nodeWarnings = ({ spec }: Node): string[] => [
  ...(spec?.configSource ? ['spec.configSource: the feature is no longer supported'] : []),
  ...(spec?.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
  ...(spec?.podCIDRs ?? []).flatMap((cidr, index) => cidrWarnings(cidr, `spec.podCIDRs[${index}]`)),
];

/** Once set, a node's pod ranges and provider identity stay. */
export function validateNodeUpdate(node: Node, { spec: old = {} }: Node): FieldError[] {
  const { spec = {} } = node;
  const errors = uniqueAddresses(node);
  if ((old.podCIDRs ?? []).length > 0 && !deepEqual(spec.podCIDRs, old.podCIDRs)) {
    errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  }
  if (old.providerID && spec.providerID !== old.providerID) {
    errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  }
  if (spec.configSource) errors.push(...validateConfigSource(spec.configSource, 'spec.configSource', false));
  const { assigned, active, lastKnownGood } = node.status?.config ?? {};
  for (const [key, source] of Object.entries({ assigned, active, lastKnownGood })) {
    if (source) errors.push(...validateConfigSource(source, `status.config.${key}`, true));
  }
  return [...errors, ...validateExternalID(spec, old)];
}

const validateExternalID = ({ externalID = '' }: NodeSpec, { externalID: before = '' }: NodeSpec): FieldError[] =>
  externalID === before ? [] : [forbidden('spec.externalID', 'may not be updated')];

/** Of the configuration that kubelets once had by the server; `known`: with which version of it. */
function validateConfigSource(source: NodeConfigSource, field: string, known: boolean): FieldError[] {
  const { configMap } = source;
  if (!configMap) return [invalid(field, source, 'exactly one reference subfield must be non-nil')];
  const path = `${field}.configMap`;
  const errors = (['uid', 'resourceVersion'] as const).flatMap((key) => {
    if (known) return configMap[key] ? [] : [required(`${path}.${key}`)];
    return configMap[key] ? [forbidden(`${path}.${key}`, `${key} must not be set in spec`)] : [];
  });
  return [
    ...errors,
    ...requiredText(configMap.namespace, `${path}.namespace`, isDNS1123Label),
    ...requiredText(configMap.name, `${path}.name`, isDNS1123Subdomain),
    ...requiredText(configMap.kubeletConfigKey, `${path}.kubeletConfigKey`, isConfigMapKey),
  ];
}

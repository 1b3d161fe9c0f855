import type { FieldError } from '../field-error.js';
import type { Node, Taint } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { each, nonNegativeQuantity, requiredEnum } from './common.js';
import { duplicate, forbidden, invalid, invalids, required } from './errors.js';
import { parseCIDR, validateCIDR } from './ip.js';
import { isLabelValue, isQualifiedName } from './names.js';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateNode({ spec, status }: Node): FieldError[] {
  const errors = [...validateTaints(spec?.taints, 'spec.taints'), ...validatePodCIDRs(spec?.podCIDRs ?? [])];
  for (const kind of ['capacity', 'allocatable'] as const) {
    for (const [name, quantity] of Object.entries(status?.[kind] ?? {})) {
      errors.push(...nonNegativeQuantity(quantity, `status.${kind}[${name}]`));
    }
  }
  return [
    ...errors,
    ...each(status?.conditions, 'status.conditions', ({ type, status: value }, path) => [
      ...(type ? [] : [required(`${path}.type`)]),
      ...(value ? [] : [required(`${path}.status`)]),
    ]),
  ];
}

export function validateTaints(taints: readonly Taint[] | undefined, field: string): FieldError[] {
  const seen = new Set<string>();
  return each(taints, field, ({ key, value = '', effect }, path) => {
    const errors = key ? invalids(`${path}.key`, key, isQualifiedName(key)) : [required(`${path}.key`)];
    errors.push(...invalids(`${path}.value`, value, isLabelValue(value)), ...requiredEnum(effect, `${path}.effect`, EFFECTS));
    const id = `${key}:${effect}`;
    if (seen.has(id))
      errors.push({
        ...duplicate(path, { key, value, effect }),
        message: `${duplicate(path, { key, value, effect }).message}: taints must be unique by key and effect pair`,
      });
    seen.add(id);
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

/** Fields that nothing reads. */
export const nodeWarnings = ({ spec }: Node): string[] => [
  ...(spec?.configSource ? ['spec.configSource: the feature is no longer supported'] : []),
  ...(spec?.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
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
  return errors;
}

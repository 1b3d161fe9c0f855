import type { FieldError } from '../../field-error.js';
import type { Affinity, LabelSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm, Toleration } from '../../generated/types.js';
import { deepEqual } from '../../util/deep-equal.js';
import { validateLabelSelector } from '../common.js';
import { forbidden, invalid, notSupported, required } from '../errors.js';
import { isDNS1123Label, isDNS1123Subdomain, isLabelValue, isQualifiedName } from '../names.js';
import { addSyntax, type Sink } from '../sink.js';
import type { PodOptions } from './options.js';
import { addMatchLabelKeys } from './topology-spread.js';

export function addAffinity(sink: Sink, field: string, { nodeAffinity: nodes, podAffinity, podAntiAffinity }: Affinity, options: PodOptions): void {
  const [must, should] = ['requiredDuringSchedulingIgnoredDuringExecution', 'preferredDuringSchedulingIgnoredDuringExecution'] as const;
  if (nodes?.[must]) addNodeSelector(sink, `${field}.nodeAffinity.${must}`, nodes[must]?.nodeSelectorTerms, options.anyNodeAffinityValue);
  for (const [index, { weight, preference }] of (nodes?.[should] ?? []).entries()) {
    const at = `${field}.nodeAffinity.${should}[${index}]`;
    addWeight(sink, at, weight);
    addNodeSelectorTerm(sink, `${at}.preference`, preference ?? {}, true);
  }
  for (const [kind, rules] of Object.entries({ podAffinity, podAntiAffinity })) {
    for (const [index, term] of (rules?.[must] ?? []).entries()) addPodAffinityTerm(sink, `${field}.${kind}.${must}[${index}]`, term, options);
    for (const [index, { weight, podAffinityTerm }] of (rules?.[should] ?? []).entries()) {
      const at = `${field}.${kind}.${should}[${index}]`;
      addWeight(sink, at, weight);
      addPodAffinityTerm(sink, `${at}.podAffinityTerm`, podAffinityTerm ?? { topologyKey: '' }, options);
    }
  }
}

function addWeight(sink: Sink, field: string, weight = 0): void {
  if (weight < 1 || weight > 100) sink.push(invalid(`${field}.weight`, weight, 'must be in the range 1-100'));
}

/** The terms of a node selector; at least one. `anyValue`: values need not be labels'. */
function addNodeSelector(sink: Sink, field: string, terms: readonly NodeSelectorTerm[] | undefined, anyValue: boolean): void {
  if (!terms || terms.length === 0) return void sink.push(required(`${field}.nodeSelectorTerms`, 'must have at least one node selector term'));
  for (const [index, term] of terms.entries()) addNodeSelectorTerm(sink, `${field}.nodeSelectorTerms[${index}]`, term, anyValue);
}

export function validateNodeSelectorTerms(terms: readonly NodeSelectorTerm[] | undefined, field: string, anyValue = false): FieldError[] {
  const sink: Sink = [];
  addNodeSelector(sink, field, terms, anyValue);
  return sink;
}

function addNodeSelectorTerm(sink: Sink, field: string, { matchExpressions, matchFields }: NodeSelectorTerm, anyValue: boolean): void {
  for (const [index, requirement] of (matchExpressions ?? []).entries()) addRequirement(sink, `${field}.matchExpressions[${index}]`, requirement, anyValue);
  for (const [index, { key = '', operator = '', values = [] }] of (matchFields ?? []).entries()) {
    const at = `${field}.matchFields[${index}]`;
    if (operator !== 'In' && operator !== 'NotIn') sink.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    else if (values.length !== 1) {
      sink.push(required(`${at}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
    }
    if (key !== 'metadata.name') sink.push(invalid(`${at}.key`, key, 'not a valid field selector key'));
    else for (const [which, value] of values.entries()) addSyntax(sink, `${at}.values[${which}]`, value, isDNS1123Subdomain(value));
  }
}

function addRequirement(sink: Sink, field: string, { key = '', operator = '', values = [] }: NodeSelectorRequirement, anyValue: boolean): void {
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) sink.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) sink.push(forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) sink.push(required(`${field}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      break;
    default:
      sink.push(invalid(`${field}.operator`, operator, 'not a valid selector operator'));
  }
  addSyntax(sink, `${field}.key`, key, isQualifiedName(key));
  if (!anyValue) for (const [index, value] of values.entries()) addSyntax(sink, `${field}.values[${index}]`, value, isLabelValue(value));
}

function addPodAffinityTerm(sink: Sink, field: string, term: PodAffinityTerm, { anyAffinitySelector }: PodOptions): void {
  const { labelSelector, namespaceSelector, namespaces, topologyKey = '' } = term;
  addSelector(sink, `${field}.labelSelector`, labelSelector, anyAffinitySelector);
  addSelector(sink, `${field}.namespaceSelector`, namespaceSelector, anyAffinitySelector);
  for (const name of namespaces ?? []) addSyntax(sink, `${field}.namespace`, name, isDNS1123Label(name));
  addMatchLabelKeys(sink, field, term.matchLabelKeys, term.mismatchLabelKeys, labelSelector);
  if (!topologyKey) sink.push(required(`${field}.topologyKey`, 'can not be empty'));
  addSyntax(sink, `${field}.topologyKey`, topologyKey, isQualifiedName(topologyKey));
}

function addSelector(sink: Sink, field: string, selector: LabelSelector | undefined, anyValue: boolean): void {
  if (!selector) return;
  const errors = validateLabelSelector(selector, field);
  // Values that were stored wrong are let pass; all else is not.
  sink.push(...(anyValue ? errors.filter((error) => !/\.values\[\d+\]$/.test(error.field)) : errors));
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function addTolerations(sink: Sink, field: string, tolerations: readonly Toleration[], comparing: boolean): void {
  for (const [index, { key, operator = '', value = '', effect = '', tolerationSeconds }] of tolerations.entries()) {
    const at = `${field}[${index}]`;
    if (key) addSyntax(sink, `${at}.key`, key, isQualifiedName(key));
    else if (operator !== 'Exists') {
      sink.push(invalid(`${at}.operator`, operator, 'operator must be Exists when `key` is empty, which means "match all values and all keys"'));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      sink.push(invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    addOperator(sink, at, operator, value, comparing);
    if (effect && !EFFECTS.includes(effect)) sink.push(notSupported(`${at}.effect`, effect, EFFECTS));
  }
}

function addOperator(sink: Sink, field: string, operator: string, value: string, comparing: boolean): void {
  if (operator === '' || operator === 'Equal') {
    const wrong = isLabelValue(value);
    if (wrong.length > 0) sink.push(invalid(`${field}.operator`, value, wrong.join(';')));
  } else if (operator === 'Exists') {
    if (value) sink.push(invalid(`${field}.operator`, value, "value must be empty when `operator` is 'Exists'"));
  } else if (operator !== 'Lt' && operator !== 'Gt') sink.push(notSupported(`${field}.operator`, operator, ['Equal', 'Exists']));
  else if (!comparing) sink.push(notSupported(`${field}.operator`, operator, ['Equal', 'Exists', 'Lt', 'Gt']));
  else if (!/^(0|-?[1-9][0-9]*)$/.test(value)) sink.push(invalid(`${field}.value`, value, 'must be a decimal integer'));
}

export function validateTolerations(tolerations: readonly Toleration[] | undefined, field: string): FieldError[] {
  const sink: Sink = [];
  addTolerations(sink, field, tolerations ?? [], false);
  return sink;
}

/** All old tolerations must still be there; only `tolerationSeconds` may differ. */
export function onlyAddsTolerations(now: readonly Toleration[] = [], before: readonly Toleration[] = []): boolean {
  const bare = ({ tolerationSeconds: _, ...rest }: Toleration) => rest;
  return before.every((old) => now.some((each) => deepEqual(bare(each), bare(old))));
}

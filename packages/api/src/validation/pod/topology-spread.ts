import type { LabelSelector, TopologySpreadConstraint } from '../../generated/types.js';
import { validateLabelSelector } from '../common.js';
import { duplicate, forbidden, invalid, notSupported, required } from '../errors.js';
import { isQualifiedName } from '../names.js';
import { addOptionalEnum, addSyntax, type Sink } from '../sink.js';
import type { PodOptions } from './options.js';

export function addTopologySpread(sink: Sink, field: string, constraints: readonly TopologySpreadConstraint[], options: PodOptions): void {
  for (const [index, constraint] of constraints.entries()) {
    const { maxSkew = 0, topologyKey, whenUnsatisfiable = '', minDomains, labelSelector, matchLabelKeys } = constraint;
    const at = `${field}[${index}]`;
    if (maxSkew <= 0) sink.push(invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero'));
    if (!topologyKey) sink.push(required(`${at}.topologyKey`, 'can not be empty'));
    if (!['DoNotSchedule', 'ScheduleAnyway'].includes(whenUnsatisfiable)) {
      sink.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']));
    }
    const again = constraints.some((other, after) => after > index && other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (again) sink.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`));
    if (minDomains !== undefined) {
      if (minDomains <= 0) sink.push(invalid(`${at}.minDomains`, minDomains, 'must be greater than zero'));
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        sink.push(invalid(`${at}.minDomains`, minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`));
      }
    }
    addOptionalEnum(sink, `${at}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, ['Honor', 'Ignore']);
    addOptionalEnum(sink, `${at}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, ['Honor', 'Ignore']);
    if (options.oldMatchLabelKeys) addApartMatchLabelKeys(sink, `${at}.matchLabelKeys`, matchLabelKeys, labelSelector);
    else addMatchLabelKeys(sink, at, matchLabelKeys, undefined, labelSelector);
    if (!options.anySpreadSelector && labelSelector) sink.push(...validateLabelSelector(labelSelector, `${at}.labelSelector`));
  }
}

type Keys = readonly string[] | undefined;

/** By now the selector holds the keys of `matchLabelKeys`, so one that is there already is there twice. */
export function addMatchLabelKeys(sink: Sink, field: string, match: Keys, mismatch: Keys, selector: LabelSelector | undefined): void {
  if (!match && !mismatch) return;
  addLabelKeys(sink, `${field}.matchLabelKeys`, match, selector);
  addLabelKeys(sink, `${field}.mismatchLabelKeys`, mismatch, selector);
  if (selector && match) {
    const seen = new Set(Object.keys(selector.matchLabels ?? {}));
    for (const { key } of selector.matchExpressions ?? []) {
      const index = match.lastIndexOf(key);
      if (index >= 0 && seen.has(key)) sink.push(invalid(`${field}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'));
      seen.add(key);
    }
  }
  if (!mismatch) return;
  for (const [index, key] of (match ?? []).entries()) {
    if (mismatch.includes(key)) sink.push(invalid(`${field}.matchLabelKeys[${index}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'));
  }
}

function addLabelKeys(sink: Sink, field: string, keys: Keys, selector: LabelSelector | undefined): void {
  if (!keys || keys.length === 0) return;
  if (!selector) return void sink.push(forbidden(field, 'must not be specified when labelSelector is not set'));
  for (const [index, key] of keys.entries()) addSyntax(sink, `${field}[${index}]`, key, isQualifiedName(key));
}

/** Of pods from before the keys went into the selector. */
function addApartMatchLabelKeys(sink: Sink, field: string, keys: Keys, selector: LabelSelector | undefined): void {
  if (!keys || keys.length === 0) return;
  if (!selector) sink.push(forbidden(field, 'must not be specified when labelSelector is not set'));
  const taken = new Set([...Object.keys(selector?.matchLabels ?? {}), ...(selector?.matchExpressions ?? []).map(({ key }) => key)]);
  for (const [index, key] of keys.entries()) {
    addSyntax(sink, `${field}[${index}]`, key, isQualifiedName(key));
    if (taken.has(key)) sink.push(invalid(`${field}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'));
  }
}

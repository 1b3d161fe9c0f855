import { parseLabelRequirements } from './label-parser.js';
import {
  compileRequirement,
  formatRequirement,
  labelRequirement,
  SelectorError,
  type LabelRequirement,
  type Labels,
  type SelectorOperator,
} from './requirement.js';

/** The API object (`meta/v1.LabelSelector`). */
export interface LabelSelectorObject {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

const NO_LABELS: Labels = Object.freeze({});
const byKey = (a: LabelRequirement, b: LabelRequirement) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** A compiled label selector: the conjunction of its requirements. Immutable; absent labels are the empty set. */
export class LabelSelector {
  static readonly everything = new LabelSelector([]);
  static readonly nothing = new LabelSelector([], true);

  readonly requirements: readonly LabelRequirement[];
  readonly matches: (labels: Labels | undefined) => boolean;

  constructor(
    requirements: readonly LabelRequirement[],
    readonly matchesNothing = false,
  ) {
    this.requirements = [...requirements].sort(byKey);
    this.matches = matchesNothing ? () => false : conjunction(this.requirements.map(compileRequirement));
  }

  /** Everything matches. */
  get isEmpty(): boolean {
    return !this.matchesNothing && this.requirements.length === 0;
  }

  and(...requirements: readonly LabelRequirement[]): LabelSelector {
    return this.matchesNothing ? this : new LabelSelector([...this.requirements, ...requirements]);
  }

  /** The one value a label must have, if the selector says so: for indexes. */
  exactValue(key: string): string | undefined {
    const r = this.requirements.find((q) => q.key === key);
    return r && (r.operator === '=' || r.operator === '==' || r.operator === 'in') && r.values.length === 1 ? r.values[0] : undefined;
  }

  toString(): string {
    return this.requirements.map(formatRequirement).join(',');
  }
}

function conjunction(tests: ((labels: Labels) => boolean)[]): (labels: Labels | undefined) => boolean {
  const [first, second] = tests;
  if (!first) return () => true;
  if (!second) return (l) => first(l ?? NO_LABELS);
  return (l) => {
    const labels = l ?? NO_LABELS;
    for (let i = 0; i < tests.length; i++) if (!(tests[i] as (l: Labels) => boolean)(labels)) return false;
    return true;
  };
}

/** Parse the string syntax; throws `SelectorError` with upstream's text. The empty string selects everything. */
export function parseLabelSelector(text: string): LabelSelector {
  const requirements = parseLabelRequirements(text);
  return requirements.length === 0 ? LabelSelector.everything : new LabelSelector(requirements);
}

const OPERATORS: Readonly<Record<string, SelectorOperator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };

/** From the API object: absent selects nothing, empty selects everything. Throws `SelectorError`. */
export function labelSelectorFromObject(object: LabelSelectorObject | null | undefined): LabelSelector {
  if (!object) return LabelSelector.nothing;
  const requirements: LabelRequirement[] = [];
  for (const [k, v] of Object.entries(object.matchLabels ?? {})) requirements.push(labelRequirement(k, '=', [v]));
  for (const e of object.matchExpressions ?? []) {
    const operator = OPERATORS[e.operator];
    if (!operator) throw new SelectorError(`${JSON.stringify(e.operator)} is not a valid label selector operator`);
    requirements.push(labelRequirement(e.key, operator, e.values ?? []));
  }
  return requirements.length === 0 ? LabelSelector.everything : new LabelSelector(requirements);
}

/** Labels that must all be there (Service.spec.selector, nodeSelector). Not checked: invalid values just never match. */
export function labelSelectorFromSet(set: Labels | undefined): LabelSelector {
  const requirements = Object.entries(set ?? {}).map(([key, value]): LabelRequirement => ({ key, operator: '=', values: [value] }));
  return requirements.length === 0 ? LabelSelector.everything : new LabelSelector(requirements);
}

/** The API object in the string syntax, as `status.selector` of a Scale. */
export const formatLabelSelectorObject = (object: LabelSelectorObject | undefined): string => labelSelectorFromObject(object).toString();

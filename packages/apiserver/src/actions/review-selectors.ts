import type { FieldError } from '@coxswain/api';
import { escapeFieldValue, parseFieldSelector, parseLabelSelector } from '@coxswain/apimachinery';

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** A selector as an access review carries it: as text, or taken apart. */
export interface SelectorAttributes {
  readonly rawSelector?: string;
  readonly requirements?: readonly Requirement[];
}

const NAMES = ['fieldSelector', 'labelSelector'] as const;
type Name = (typeof NAMES)[number];

/** Both at once, or neither: nobody could tell what is meant. */
export function selectorProblems(attributes: Readonly<Partial<Record<Name, SelectorAttributes>>>): FieldError[] {
  return NAMES.flatMap((name): FieldError[] => {
    const selector = attributes[name];
    if (!selector) return [];
    const field = `spec.resourceAttributes.${name}`;
    const raw = (selector.rawSelector ?? '') !== '';
    const apart = (selector.requirements?.length ?? 0) > 0;
    if (raw && apart)
      return [
        {
          type: 'FieldValueInvalid',
          field: `${field}.rawSelector`,
          message: `Invalid value: ${JSON.stringify(selector.rawSelector)}: may not specified at the same time as requirements`,
        },
      ];
    return raw || apart
      ? []
      : [
          {
            type: 'FieldValueRequired',
            field: `${field}.requirements`,
            message: `Required value: when ${name} is specified, requirements or rawSelector is required`,
          },
        ];
  });
}

/**
 * The selector as authorizers see it: only what is understood whole. A requirement nobody knows would make the selection larger,
 * so leaving it out never allows more than was asked about: authorizers take what is there as a restriction.
 */
export function selectorOf(name: Name, selector: SelectorAttributes | undefined): { readonly [K in Name]?: string } {
  const raw = selector?.rawSelector ?? '';
  if (raw !== '') return isReadable(name, raw) ? { [name]: raw } : {};
  const parts = (selector?.requirements ?? []).flatMap((requirement) => (name === 'fieldSelector' ? fieldText(requirement) : labelText(requirement)) ?? []);
  return parts.length > 0 ? { [name]: parts.join(',') } : {};
}

function isReadable(name: Name, text: string): boolean {
  try {
    if (name === 'fieldSelector') parseFieldSelector(text);
    else parseLabelSelector(text);
    return true;
  } catch {
    return false;
  }
}

function fieldText({ key, operator, values = [] }: Requirement): string | undefined {
  if (values.length !== 1) return undefined;
  const value = escapeFieldValue(values[0] as string);
  return operator === 'In' ? `${key}=${value}` : operator === 'NotIn' ? `${key}!=${value}` : undefined;
}

function labelText({ key, operator, values = [] }: Requirement): string | undefined {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0 ? `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})` : undefined;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return undefined;
  }
}

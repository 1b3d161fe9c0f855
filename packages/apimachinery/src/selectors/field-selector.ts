import { SelectorError } from './requirement.js';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** Looks a field up in the object under test; an unknown field is ''. */
export type FieldGetter = (field: string) => string;

export const escapeFieldValue = (value: string): string => value.replace(/[\\,=]/g, '\\$&');

function unescapeFieldValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === '\\') {
      const next = text[++i];
      if (next !== '\\' && next !== ',' && next !== '=') throw new SelectorError(`invalid field selector: invalid escape sequence: \\${next ?? ''}`);
      out += next;
    } else if (c === ',' || c === '=') {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${c.charCodeAt(0)}`);
    } else out += c;
  }
  return out;
}

/** A conjunction of `=` and `!=` on fields. Immutable. */
export class FieldSelector {
  static readonly everything = new FieldSelector([]);

  constructor(readonly requirements: readonly FieldRequirement[]) {}

  get isEmpty(): boolean {
    return this.requirements.length === 0;
  }

  matches(get: FieldGetter): boolean {
    for (const { field, operator, value } of this.requirements) if ((get(field) === value) !== (operator === '=')) return false;
    return true;
  }

  /** Compile against a table of getters (a definition's `selectableFields`). `undefined`: everything matches. */
  compile<T>(getters: (field: string) => ((object: T) => string) | undefined): ((object: T) => boolean) | undefined {
    if (this.isEmpty) return undefined;
    const tests = this.requirements.map(({ field, operator, value }) => {
      const get = getters(field);
      if (!get) throw new SelectorError(`field label not supported: ${field}`);
      return operator === '=' ? (o: T) => get(o) === value : (o: T) => get(o) !== value;
    });
    return (o) => tests.every((test) => test(o));
  }

  exactValue(field: string): string | undefined {
    return this.requirements.find((r) => r.field === field && r.operator === '=')?.value;
  }

  toString(): string {
    return this.requirements.map((r) => `${r.field}${r.operator}${escapeFieldValue(r.value)}`).join(',');
  }
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

/** `metadata.name=a,status.phase!=Running`; `\`, `,` and `=` in values are escaped with `\`. Throws `SelectorError` with upstream's text. */
export function parseFieldSelector(text: string): FieldSelector {
  if (text === '') return FieldSelector.everything;
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).sort()) {
    if (term === '') continue;
    const m = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (!m) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    requirements.push({ field: m[1] as string, operator: m[2] === '!=' ? '!=' : '=', value: unescapeFieldValue(m[3] as string) });
  }
  return new FieldSelector(requirements);
}

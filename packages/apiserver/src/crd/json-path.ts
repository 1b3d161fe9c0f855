type Step =
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'all' }
  | { readonly type: 'filter'; readonly path: JsonPath; readonly operator: string; readonly value: unknown };

/** A compiled path of the kind printer columns use. Finds nothing where something on the way is missing. */
export type JsonPath = (value: unknown) => unknown[];

/** `.spec.x`, `.items[0].name`, `.list[*].name`, `.status.conditions[?(@.type=="Ready")].status`, `['odd.key']`, `odd\.key`. Undefined: not readable. */
export function compileJsonPath(text: string): JsonPath | undefined {
  const steps = parse(text.replace(/^\{(.*)\}$/s, '$1').trim());
  if (!steps) return undefined;
  return (value) => steps.reduce<unknown[]>((found, step) => found.flatMap((each) => follow(each, step)), [value]);
}

function follow(value: unknown, step: Step): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  switch (step.type) {
    case 'field': {
      const member = Object.hasOwn(value, step.name) ? (value as Record<string, unknown>)[step.name] : undefined;
      return member === undefined ? [] : [member];
    }
    case 'index': {
      if (!Array.isArray(value)) return [];
      const item: unknown = value.at(step.index);
      return item === undefined ? [] : [item];
    }
    case 'all':
      return Array.isArray(value) ? (value as unknown[]) : Object.values(value);
    case 'filter':
      return (Array.isArray(value) ? (value as unknown[]) : [value]).filter((item) => compare(step.path(item), step.operator, step.value));
  }
}

function compare(found: unknown[], operator: string, value: unknown): boolean {
  if (operator === '') return found.length > 0;
  if (found.length !== 1) return false;
  const left = found[0];
  switch (operator) {
    case '==':
      return left === value;
    case '!=':
      return left !== value;
    case '<':
      return (left as number) < (value as number);
    case '<=':
      return (left as number) <= (value as number);
    case '>':
      return (left as number) > (value as number);
    default:
      return (left as number) >= (value as number);
  }
}

const FILTER = /^\?\(\s*@?((?:[^=!<>'"]|\\.)*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?)\s*)?\)$/s;

function parse(text: string): Step[] | undefined {
  const steps: Step[] = [];
  let i = text.startsWith('$') ? 1 : 0;
  while (i < text.length) {
    if (text[i] === '.') {
      i++;
      if (text[i] === '[' || i >= text.length) continue;
      const [name, end] = readName(text, i);
      if (end === i) return undefined;
      steps.push(name === '*' ? { type: 'all' } : { type: 'field', name });
      i = end;
    } else if (text[i] === '[') {
      const end = closing(text, i);
      if (end < 0) return undefined;
      const step = bracket(text.slice(i + 1, end).trim());
      if (!step) return undefined;
      steps.push(step);
      i = end + 1;
    } else {
      const [name, end] = readName(text, i);
      if (end === i) return undefined;
      steps.push({ type: 'field', name });
      i = end;
    }
  }
  return steps;
}

function readName(text: string, start: number): [name: string, end: number] {
  let name = '';
  let i = start;
  for (; i < text.length && text[i] !== '.' && text[i] !== '['; i++) {
    if (text[i] === '\\' && i + 1 < text.length) i++;
    name += text[i];
  }
  return [name, i];
}

function closing(text: string, open: number): number {
  let depth = 0;
  let quote = '';
  for (let i = open; i < text.length; i++) {
    const c = text[i] as string;
    if (quote !== '') {
      if (c === '\\') i++;
      else if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
    else if (c === '[') depth++;
    else if (c === ']' && --depth === 0) return i;
  }
  return -1;
}

function bracket(inner: string): Step | undefined {
  if (inner === '*') return { type: 'all' };
  if (/^-?\d+$/.test(inner)) return { type: 'index', index: Number(inner) };
  const quoted = /^(['"])(.*)\1$/s.exec(inner);
  if (quoted) return { type: 'field', name: (quoted[2] as string).replace(/\\(.)/g, '$1') };
  const filter = FILTER.exec(inner);
  if (!filter) return undefined;
  const path = compileJsonPath(filter[1] as string);
  if (!path) return undefined;
  return { type: 'filter', path, operator: filter[2] ?? '', value: literal(filter[3]) };
}

function literal(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const quoted = /^(['"])(.*)\1$/s.exec(text);
  if (quoted) return quoted[2];
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

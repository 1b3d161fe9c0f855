import { labelKeyErrors } from './label-syntax.js';
import { labelRequirement, SelectorError, type LabelRequirement, type SelectorOperator } from './requirement.js';

type Token = 'error' | 'end' | ')' | ',' | '!' | '==' | '=' | '>' | 'id' | 'in' | '<' | '!=' | 'notin' | '(';
interface Item {
  readonly token: Token;
  readonly text: string;
}

const SPECIAL = '=!(),><';
const isSpace = (c: string) => c === ' ' || c === '\t' || c === '\r' || c === '\n';
const SYMBOLS: ReadonlySet<string> = new Set([')', ',', '!', '==', '=', '>', '<', '!=', '(']);

function scan(text: string): Item[] {
  const items: Item[] = [];
  let i = 0;
  for (;;) {
    while (i < text.length && isSpace(text[i] as string)) i++;
    if (i >= text.length) break;
    const start = i;
    if (SPECIAL.includes(text[i] as string)) {
      // The longest run of special characters that is a token.
      let end = -1;
      let run = start;
      while (run < text.length && SPECIAL.includes(text[run] as string)) {
        run++;
        if (SYMBOLS.has(text.slice(start, run))) end = run;
        else if (end !== -1) break;
      }
      if (end === -1) {
        items.push({ token: 'error', text: `error expected: keyword found '${text.slice(start, run)}'` });
        i = run;
      } else {
        items.push({ token: text.slice(start, end) as Token, text: text.slice(start, end) });
        i = end;
      }
      continue;
    }
    while (i < text.length && !SPECIAL.includes(text[i] as string) && !isSpace(text[i] as string)) i++;
    const word = text.slice(start, i);
    items.push({ token: word === 'in' || word === 'notin' ? word : 'id', text: word });
  }
  items.push({ token: 'end', text: '' });
  return items;
}

/** The string syntax of label selectors: `a=b,c!=d,e in (x,y),f,!g,h>1`. */
class LabelParser {
  #at = 0;
  readonly #items: Item[];

  constructor(text: string) {
    this.#items = scan(text);
  }

  /** `in` and `notin` are words where a value or key stands. */
  #peek(asValue = true): Item {
    const item = this.#items[Math.min(this.#at, this.#items.length - 1)] as Item;
    return asValue && (item.token === 'in' || item.token === 'notin') ? { token: 'id', text: item.text } : item;
  }

  #next(asValue = true): Item {
    const item = this.#peek(asValue);
    this.#at++;
    return item;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const { token, text } = this.#peek();
      if (token === 'end') return requirements;
      if (token !== 'id' && token !== '!') throw new SelectorError(`found '${text}', expected: !, identifier, or 'end of string'`);
      try {
        requirements.push(this.#requirement());
      } catch (error) {
        throw new SelectorError(`unable to parse requirement: ${(error as Error).message}`);
      }
      const after = this.#next();
      if (after.token === 'end') return requirements;
      if (after.token !== ',') throw new SelectorError(`found '${after.text}', expected: ',' or 'end of string'`);
      const following = this.#peek();
      if (following.token !== 'id' && following.token !== '!') throw new SelectorError(`found '${following.text}', expected: identifier after ','`);
    }
  }

  #requirement(): LabelRequirement {
    let item = this.#next();
    const negated = item.token === '!';
    if (negated) item = this.#next();
    if (item.token !== 'id') throw new SelectorError(`found '${item.text}', expected: identifier`);
    const keyErrors = labelKeyErrors(item.text);
    if (keyErrors.length > 0) throw new SelectorError(`<nil>: Invalid value: ${JSON.stringify(item.text)}: ${keyErrors.join('; ')}`);
    if (negated) return labelRequirement(item.text, '!', []);
    const after = this.#peek().token;
    if (after === 'end' || after === ',') return labelRequirement(item.text, 'exists', []);
    const operator = this.#operator();
    const values = operator === 'in' || operator === 'notin' ? this.#values() : this.#exactValue();
    return labelRequirement(item.text, operator, [...new Set(values)].sort());
  }

  #operator(): SelectorOperator {
    const { token, text } = this.#next(false);
    switch (token) {
      case 'in':
      case 'notin':
      case '=':
      case '==':
      case '!=':
        return token;
      case '>':
        return 'gt';
      case '<':
        return 'lt';
      default:
        throw new SelectorError(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
  }

  #values(): string[] {
    const open = this.#next();
    if (open.token !== '(') throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.token === ')') {
      this.#next();
      return [''];
    }
    if (first.token !== 'id' && first.token !== ',') throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    const values: string[] = [];
    for (;;) {
      const { token, text } = this.#next();
      if (token === 'id') {
        values.push(text);
        const after = this.#peek();
        if (after.token === ',') continue;
        if (after.token === ')') break;
        throw new SelectorError(`found '${after.text}', expected: ',' or ')'`);
      }
      if (token !== ',') throw new SelectorError(`found '${text}', expected: ',', or identifier`);
      if (values.length === 0) values.push('');
      const after = this.#peek().token;
      if (after === ')' || after === ',') values.push('');
      if (after === ')') break;
    }
    this.#next();
    return values;
  }

  #exactValue(): string[] {
    const { token } = this.#peek();
    if (token === 'end' || token === ',') return [''];
    const item = this.#next();
    if (item.token !== 'id') throw new SelectorError(`found '${item.text}', expected: identifier`);
    return [item.text];
  }
}

export const parseLabelRequirements = (text: string): LabelRequirement[] => new LabelParser(text).parse();

import type { ASTNode } from '@marcbachmann/cel-js';
import { itemsOf, valuesOf } from '../json-schema.js';
import type { JsonSchema } from '../json-schema.js';
import { unescapeName } from '@coxswain/cel';

/** What a request can hold at most: the bound for everything the schema does not bound. */
const MAX_REQUEST = 3 * 1024 * 1024;
const STRING_FACTOR = 0.1;
const REGEX_FACTOR = 0.25;

export type Shape = JsonSchema | undefined;

/** How many items a list, entries a map, or characters a text can have. */
export function maxSize(schema: JsonSchema): number {
  switch (schema.type) {
    case 'array': {
      const items = itemsOf(schema);
      return schema.maxItems ?? Math.floor((MAX_REQUEST - 2) / ((items ? minBytes(items) : 1) + 1));
    }
    case 'object': {
      const values = valuesOf(schema);
      return schema.maxProperties ?? (values ? Math.floor((MAX_REQUEST - 2) / (minBytes(values) + 6)) : Object.keys(schema.properties ?? {}).length);
    }
    case 'string': {
      if (schema.enum) return Math.max(0, ...schema.enum.map((value) => String(value).length));
      switch (schema.format) {
        case 'duration':
          return 32;
        case 'date':
          return 10;
        case 'date-time':
          return 35;
        default:
          return schema.maxLength ?? MAX_REQUEST - 2;
      }
    }
    default:
      return schema['x-kubernetes-int-or-string'] ? (schema.maxLength ?? MAX_REQUEST - 2) : 1;
  }
}

function minBytes(schema: JsonSchema): number {
  switch (schema.type) {
    case 'string':
      return 2 + (schema.minLength ?? 0);
    case 'boolean':
      return 4;
    case 'array':
      return 2;
    case 'object': {
      let bytes = 2;
      for (const name of schema.required ?? []) {
        const property = schema.properties?.[name];
        if (property && property.default === undefined) bytes += name.length + 4 + minBytes(property);
      }
      return bytes;
    }
    default:
      return 1;
  }
}

interface Estimate {
  readonly cost: number;
  readonly shape: Shape;
}

type Scope = ReadonlyMap<string, Shape>;

export interface Analysis {
  readonly cost: number;
  /** What the expression asks of the schema that it has not. */
  readonly problems: readonly Problem[];
}

export interface Problem {
  readonly text: string;
  /** Offset in the source. */
  readonly at: number;
}

/** What an expression can cost at worst, and which fields it names in vain. `schema` is that of `self`. */
export function analyze(ast: ASTNode, schema: JsonSchema, resource: boolean): Analysis {
  const problems: Problem[] = [];
  const analyzer = new Analyzer(resource ? schema : undefined, problems);
  const scope: Scope = new Map([
    ['self', schema],
    ['oldSelf', schema],
  ]);
  const { cost } = analyzer.visit(ast, scope);
  return { cost, problems };
}

const STRING: JsonSchema = { type: 'string' };
const METADATA: JsonSchema = { type: 'object', properties: { name: { type: 'string', maxLength: 253 }, generateName: { type: 'string', maxLength: 253 } } };
const QUANTIFIERS = new Set(['all', 'exists', 'exists_one', 'existsOne']);

class Analyzer {
  constructor(
    readonly root: JsonSchema | undefined,
    readonly problems: Problem[],
  ) {}

  visit(ast: ASTNode, scope: Scope): Estimate {
    switch (ast.op) {
      case 'value':
        return { cost: 0, shape: typeof ast.args === 'string' ? { type: 'string', maxLength: ast.args.length } : undefined };
      case 'id':
        return { cost: 1, shape: scope.get(ast.args) };
      case '.':
      case '.?': {
        const left = this.visit(ast.args[0], scope);
        return { cost: left.cost + 1, shape: this.#field(left.shape, ast.args[1], ast) };
      }
      case '[]':
      case '[?]': {
        const left = this.visit(ast.args[0], scope);
        const right = this.visit(ast.args[1], scope);
        return { cost: left.cost + right.cost + 1, shape: left.shape && (itemsOf(left.shape) ?? valuesOf(left.shape)) };
      }
      case 'list': {
        const parts = ast.args.map((item) => this.visit(item, scope));
        return { cost: 10 + sum(parts), shape: { type: 'array', maxItems: parts.length, ...(parts[0]?.shape ? { items: parts[0].shape } : {}) } };
      }
      case 'map':
        return { cost: 30 + sum(ast.args.flat().map((item) => this.visit(item, scope))), shape: undefined };
      case '?:': {
        const [condition, yes, no] = ast.args.map((item) => this.visit(item, scope)) as [Estimate, Estimate, Estimate];
        return { cost: condition.cost + Math.max(yes.cost, no.cost), shape: yes.shape ?? no.shape };
      }
      case '&&':
      case '||':
        return { cost: sum(ast.args.map((item) => this.visit(item, scope))) + 1, shape: undefined };
      case '!_':
      case '-_':
        return { cost: this.visit(ast.args, scope).cost + 1, shape: undefined };
      case 'call':
        return this.#call(ast.args[0], ast.args[1], scope);
      case 'rcall':
        return this.#method(ast.args[0], ast.args[1], ast.args[2], scope);
      default:
        return this.#binary(ast.op, ast.args[0], ast.args[1], scope);
    }
  }

  #field(shape: Shape, escaped: string, ast: ASTNode): Shape {
    if (!shape) return undefined;
    const values = valuesOf(shape);
    if (values) return values;
    if (shape.type !== 'object') return undefined;
    const name = unescapeName(escaped);
    if (shape === this.root || shape['x-kubernetes-embedded-resource']) {
      if (name === 'metadata') return METADATA;
      if (name === 'apiVersion' || name === 'kind') return STRING;
    }
    if (shape.properties && Object.hasOwn(shape.properties, name)) return shape.properties[name];
    this.problems.push({ text: `undefined field '${escaped}'`, at: fieldOffset(ast, escaped) });
    return undefined;
  }

  #binary(op: string, leftAst: ASTNode, rightAst: ASTNode, scope: Scope): Estimate {
    const left = this.visit(leftAst, scope);
    const right = this.visit(rightAst, scope);
    const base = left.cost + right.cost;
    if (op === 'in') return { cost: base + (right.shape?.type === 'array' ? maxSize(right.shape) : 1), shape: undefined };
    if (op === '+') {
      const size = sizeOf(left.shape) + sizeOf(right.shape);
      const string = left.shape?.type === 'string' || right.shape?.type === 'string';
      return { cost: base + (string ? Math.ceil(size * STRING_FACTOR) : 1), shape: string ? { type: 'string', maxLength: size } : left.shape };
    }
    const compared = left.shape && right.shape ? Math.min(deepSize(left.shape), deepSize(right.shape)) : 1;
    return { cost: base + Math.max(1, Math.ceil(compared * STRING_FACTOR)), shape: undefined };
  }

  #call(name: string, args: readonly ASTNode[], scope: Scope): Estimate {
    if (name === 'has') {
      const [target] = args;
      return target && (target.op === '.' || target.op === '.?') ? { ...this.visit(target, scope), shape: undefined } : { cost: 1, shape: undefined };
    }
    const parts = args.map((item) => this.visit(item, scope));
    const first = parts[0]?.shape;
    const scanned = name === 'size' || name === 'type' || name === 'dyn' ? 1 : Math.max(1, Math.ceil(sizeOf(first) * STRING_FACTOR));
    return { cost: sum(parts) + scanned, shape: name === 'dyn' ? first : name === 'string' ? STRING_OF(first) : undefined };
  }

  #method(name: string, receiverAst: ASTNode, args: readonly ASTNode[], scope: Scope): Estimate {
    if (receiverAst.op === 'id' && receiverAst.args === 'cel' && name === 'bind' && args[0]?.op === 'id') {
      const value = this.visit(args[1] as ASTNode, scope);
      const body = this.visit(args[2] as ASTNode, new Map([...scope, [args[0].args, value.shape]]));
      return { cost: value.cost + body.cost + 1, shape: body.shape };
    }
    const receiver = this.visit(receiverAst, scope);
    const looping = QUANTIFIERS.has(name) || name === 'filter' || name === 'map';
    if (looping && receiver.shape && !isRange(receiver.shape)) {
      this.problems.push({
        text: `expression of type '${receiver.shape.type ?? 'dyn'}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        at: receiverAst.range.start,
      });
      return { cost: 1, shape: undefined };
    }
    if (QUANTIFIERS.has(name) || name === 'filter' || name === 'map' || name === 'transformList' || name === 'transformMap')
      return this.#loop(name, receiver, args, scope);
    if ((name === 'optMap' || name === 'optFlatMap') && args[0]?.op === 'id') {
      const body = this.visit(args[1] as ASTNode, new Map([...scope, [args[0].args, receiver.shape]]));
      return { cost: receiver.cost + body.cost + 1, shape: body.shape };
    }
    const parts = args.map((item) => this.visit(item, scope));
    const cost = receiver.cost + sum(parts);
    const size = sizeOf(receiver.shape);
    const other = sizeOf(parts[0]?.shape);
    switch (name) {
      case 'orValue':
      case 'or':
      case 'value':
      case 'hasValue':
        return { cost: cost + 1, shape: name === 'hasValue' ? undefined : (receiver.shape ?? parts[0]?.shape) };
      case 'size':
        return { cost: cost + 1, shape: undefined };
      case 'startsWith':
      case 'endsWith':
        return { cost: cost + Math.ceil(other * STRING_FACTOR), shape: undefined };
      case 'contains':
        return { cost: cost + Math.ceil(size * STRING_FACTOR) * Math.max(1, Math.ceil(other * STRING_FACTOR)), shape: undefined };
      case 'matches':
      case 'find':
      case 'findAll':
        return {
          cost: cost + Math.ceil((size + 1) * STRING_FACTOR) * Math.ceil(Math.max(other, 1) * REGEX_FACTOR),
          shape: name === 'matches' ? undefined : receiver.shape,
        };
      default:
        return { cost: cost + Math.max(1, Math.ceil(size * STRING_FACTOR)), shape: receiver.shape?.type === 'string' ? receiver.shape : undefined };
    }
  }

  #loop(name: string, receiver: Estimate, args: readonly ASTNode[], scope: Scope): Estimate {
    const shape = receiver.shape;
    const count = shape ? maxSize(shape) : 1;
    const element: Shape = shape && (itemsOf(shape) ?? (valuesOf(shape) ? STRING : undefined));
    const two = (QUANTIFIERS.has(name) && args.length === 3) || name === 'transformList' || name === 'transformMap';
    const inner = new Map(scope);
    const names = args.slice(0, two ? 2 : 1);
    names.forEach((variable, i) => {
      if (variable.op === 'id') inner.set(variable.args, two && i === 0 ? undefined : two ? shape && (itemsOf(shape) ?? valuesOf(shape)) : element);
    });
    const bodies = args.slice(names.length).map((body) => this.visit(body, inner));
    const cost = receiver.cost + count * (sum(bodies) + 2) + 2;
    if (name === 'filter') return { cost, shape };
    if (name === 'map' || name === 'transformList')
      return { cost, shape: { type: 'array', maxItems: count, ...(bodies.at(-1)?.shape ? { items: bodies.at(-1)?.shape as JsonSchema } : {}) } };
    return { cost, shape: undefined };
  }
}

const STRING_OF = (shape: Shape): Shape => (shape?.type === 'string' ? shape : { type: 'string', maxLength: 64 });
const sum = (parts: readonly Estimate[]): number => parts.reduce((total, { cost }) => total + cost, 0);

function sizeOf(shape: Shape): number {
  return shape && (shape.type === 'string' || shape.type === 'array' || shape['x-kubernetes-int-or-string']) ? maxSize(shape) : 1;
}

function isRange(shape: JsonSchema): boolean {
  return shape.type === 'array' || valuesOf(shape) !== undefined || shape.type === undefined || shape['x-kubernetes-preserve-unknown-fields'] === true;
}

/** Comparing goes through everything in it. */
function deepSize(shape: JsonSchema): number {
  const inner = itemsOf(shape) ?? valuesOf(shape);
  if (inner) return maxSize(shape) * Math.max(1, Math.min(deepSize(inner), MAX_REQUEST));
  return sizeOf(shape);
}

function fieldOffset(ast: ASTNode, name: string): number {
  const found = ast.input.slice(ast.range.start, ast.range.end).lastIndexOf(name);
  return ast.range.start + Math.max(0, found - 1);
}

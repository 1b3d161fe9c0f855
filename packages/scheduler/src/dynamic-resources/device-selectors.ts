import type { Device, DeviceAttribute, DeviceSelector } from '@coxswain/api';
import { Budget, celQuantity, CelEnvironment, celSemver, childrenOf, compile, evaluationText, PER_CALL_LIMIT, type Program } from '@coxswain/cel';
import { ClaimError, type Alternative } from './wanted.js';
import type { PoolDevice } from './pools.js';

type Ast = Program['ast'];

interface Selector {
  readonly program: Program;
  /** Domains the expression goes into without asking whether they are there: those are empty where a device has nothing of them. */
  readonly domains: ReadonlySet<string>;
}

/** Expressions kept compiled, across attempts. */
const MAX_COMPILED = 100;
const compiled = new Map<string, Selector | Error>();
let environment: CelEnvironment | undefined;

/** Whether devices are what requests and their classes select. Answers are kept: make one for each attempt, since a request may change. */
export class DeviceSelectors {
  readonly #known = new Map<Alternative, Map<Device, boolean>>();

  /** Throws `ClaimError` for expressions that cannot be compiled or fail. */
  matches(alternative: Alternative, of: PoolDevice, claim: string): boolean {
    let known = this.#known.get(alternative);
    if (!known) this.#known.set(alternative, (known = new Map()));
    let answer = known.get(of.device);
    if (answer === undefined) known.set(of.device, (answer = this.#ask(alternative, of, claim)));
    return answer;
  }

  #ask({ class: { metadata, spec }, selectors }: Alternative, of: PoolDevice, claim: string): boolean {
    return all(spec.selectors ?? [], of, `class ${metadata.name}`) && all(selectors, of, `claim ${claim}`);
  }
}

function all(selectors: readonly DeviceSelector[], of: PoolDevice, where: string): boolean {
  for (const [i, { cel }] of selectors.entries()) {
    const selector = selectorOf(cel?.expression ?? '');
    if (selector instanceof Error) throw new ClaimError(`${where}: selector #${i}: CEL compile error: ${selector.message}`);
    try {
      const result = selector.program.run({ device: deviceValue(of, selector.domains) }, new Budget(PER_CALL_LIMIT));
      if (typeof result !== 'boolean') throw new Error(`CEL result of type ${typeof result} could not be converted to bool`);
      if (!result) return false;
    } catch (error) {
      throw new ClaimError(`${where}: selector #${i} on device ${of.id}: CEL runtime error: ${evaluationText(error)}`);
    }
  }
  return true;
}

function selectorOf(expression: string): Selector | Error {
  let known = compiled.get(expression);
  if (known) return known;
  try {
    const program = compile((environment ??= new CelEnvironment(['device'])), expression, 'bool');
    known = { program, domains: trustedDomains(program.ast) };
  } catch (error) {
    known = error as Error;
  }
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  compiled.set(expression, known);
  return known;
}

function trustedDomains(ast: Ast): Set<string> {
  const trusted = new Set<string>();
  const tested = new Set<string>();
  const literal = (node: Ast | undefined) => (node?.op === 'value' && typeof node.args === 'string' ? node.args : undefined);
  const isDomains = (node: Ast | undefined) => node?.op === '.' && (node.args[1] === 'attributes' || node.args[1] === 'capacity');
  const visit = (node: Ast) => {
    if (node.op === '[]' && isDomains(node.args[0])) trusted.add(literal(node.args[1]) ?? '');
    if (node.op === 'in' && isDomains(node.args[1])) tested.add(literal(node.args[0]) ?? '');
    childrenOf(node).forEach(visit);
  };
  visit(ast);
  for (const domain of tested) trusted.delete(domain);
  return trusted;
}

/** The variable `device`: attributes and capacity by domain, which is the driver's where a name has none. */
function deviceValue({ driver, device }: PoolDevice, domains: ReadonlySet<string>): Map<string, unknown> {
  const grouped = <T>(of: Readonly<Record<string, T>> | undefined, value: (of: T) => unknown) => {
    const out = new Map<string, Map<string, unknown>>();
    for (const domain of domains) out.set(domain, new Map());
    for (const [name, member] of Object.entries(of ?? {})) {
      const slash = name.indexOf('/');
      const domain = slash < 0 ? driver : name.slice(0, slash);
      const there = out.get(domain) ?? new Map<string, unknown>();
      there.set(name.slice(slash + 1), value(member));
      out.set(domain, there);
    }
    return out;
  };
  return new Map<string, unknown>([
    ['driver', driver],
    ['allowMultipleAllocations', device.allowMultipleAllocations ?? false],
    ['attributes', grouped(device.attributes, attributeValue)],
    ['capacity', grouped(device.capacity, ({ value }) => celQuantity(value))],
  ]);
}

function attributeValue({ int, bool, string, version }: DeviceAttribute): unknown {
  if (int !== undefined) return BigInt(int);
  if (bool !== undefined) return bool;
  if (string !== undefined) return string;
  const semver = version === undefined ? undefined : celSemver(version);
  if (semver === undefined) throw new Error(version === undefined ? 'unsupported attribute value' : `parse semantic version: ${JSON.stringify(version)}`);
  return semver;
}

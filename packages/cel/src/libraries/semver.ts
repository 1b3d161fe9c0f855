import type { Environment } from '@marcbachmann/cel-js';

class Semver {
  constructor(
    readonly numbers: readonly [bigint, bigint, bigint],
    readonly pre: readonly string[],
  ) {}
}

const NUMBER = '(0|[1-9]\\d*)';
const STRICT = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`);

function parse(text: string, normalize: boolean): Semver | undefined {
  let input = text;
  if (normalize) {
    input = input.replace(/^v/, '');
    const [core = '', ...rest] = input.split(/(?=[-+])/);
    const parts = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
    while (parts.length < 3) parts.push('0');
    input = parts.join('.') + rest.join('');
  }
  const match = STRICT.exec(input);
  if (!match) return undefined;
  const pre = match[4] === undefined ? [] : match[4].split('.');
  if (pre.some((part) => /^0\d+$/.test(part))) return undefined;
  return new Semver([BigInt(match[1] as string), BigInt(match[2] as string), BigInt(match[3] as string)], pre);
}

function compare(a: Semver, b: Semver): number {
  for (let i = 0; i < 3; i++) {
    const [x, y] = [a.numbers[i] as bigint, b.numbers[i] as bigint];
    if (x !== y) return x < y ? -1 : 1;
  }
  // Without a pre-release it is the later one.
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const [x, y] = [a.pre[i], b.pre[i]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    if (x === y) continue;
    const [nx, ny] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (nx && ny) return Number(x) < Number(y) ? -1 : 1;
    if (nx !== ny) return nx ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}

/** A semantic version as expressions see it; undefined when it is none. */
export const celSemver = (text: string): unknown => parse(text, false);

/** Kubernetes' semver library. */
export function registerSemver(env: Environment): void {
  const type = 'kubernetes.Semver';
  env.registerType(type, Semver);
  const make = (text: string, normalize = false): Semver => {
    const found = parse(text, normalize);
    if (!found) throw new Error(`Invalid Semantic Version ${JSON.stringify(text)}`);
    return found;
  };
  env.registerFunction(`semver(string): ${type}`, (text: string) => make(text));
  env.registerFunction(`semver(string, bool): ${type}`, make);
  env.registerFunction('isSemver(string): bool', (text: string) => parse(text, false) !== undefined);
  env.registerFunction('isSemver(string, bool): bool', (text: string, normalize: boolean) => parse(text, normalize) !== undefined);
  ['major', 'minor', 'patch'].forEach((name, i) => {
    env.registerFunction(`${type}.${name}(): int`, (version: Semver) => version.numbers[i]);
  });
  env.registerFunction(`${type}.isLessThan(${type}): bool`, (a: Semver, b: Semver) => compare(a, b) < 0);
  env.registerFunction(`${type}.isGreaterThan(${type}): bool`, (a: Semver, b: Semver) => compare(a, b) > 0);
  env.registerFunction(`${type}.compareTo(${type}): int`, (a: Semver, b: Semver) => BigInt(compare(a, b)));
  env.registerOperator(`${type} == ${type}`, (a: Semver, b: Semver) => compare(a, b) === 0);
}

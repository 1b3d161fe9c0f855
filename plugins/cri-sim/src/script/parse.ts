/** A value of a script that is not what it must be; the message begins with where it is. */
export class ScriptError extends Error {
  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path || 'the script'} ${problem}`);
    this.name = 'ScriptError';
  }
}

/** Checks a value at a path and returns what it means. Throws `ScriptError`. */
export type Parse<T> = (value: unknown, path: string) => T;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `2s`, `1m30s`. In milliseconds. */
export const duration: Parse<number> = (value, path) => {
  const text = typeof value === 'string' ? value : '';
  if (value === 0 || text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) throw new ScriptError(path, `must be a duration such as 500ms, 2s or 1m30s, got ${JSON.stringify(value)}`);
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) total += Number(number) * (UNITS[unit ?? ''] ?? 0);
  return total;
};

export const string: Parse<string> = (value, path) => {
  if (typeof value !== 'string') throw new ScriptError(path, `must be a string, got ${JSON.stringify(value)}`);
  return value;
};

export const boolean: Parse<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new ScriptError(path, `must be true or false, got ${JSON.stringify(value)}`);
  return value;
};

export const integer =
  (min: number, max: number): Parse<number> =>
  (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
      throw new ScriptError(path, `must be an integer from ${min} to ${max}, got ${JSON.stringify(value)}`);
    return value;
  };

export const oneOf =
  <const T extends string>(...values: readonly T[]): Parse<T> =>
  (value, path) => {
    if (!values.includes(value as T)) throw new ScriptError(path, `must be one of ${values.join(', ')}, got ${JSON.stringify(value)}`);
    return value as T;
  };

/** A list; one value alone counts as a list of it. */
export const list =
  <T>(item: Parse<T>): Parse<readonly T[]> =>
  (value, path) =>
    Array.isArray(value) ? value.map((entry, i) => item(entry, `${path}[${i}]`)) : [item(value, path)];

export const mapOf =
  <T>(key: RegExp, of: Parse<T>): Parse<Readonly<Record<string, T>>> =>
  (value, path) => {
    const out: Record<string, T> = {};
    for (const [name, entry] of Object.entries(asObject(value, path))) {
      if (!key.test(name)) throw new ScriptError(`${path}.${name}`, `is not a name that is possible here (${key.source})`);
      out[name] = of(entry, `${path}.${name}`);
    }
    return out;
  };

type Fields = Readonly<Record<string, Parse<unknown>>>;
type Parsed<F extends Fields> = { readonly [K in keyof F]?: ReturnType<F[K]> };

/** An object of these fields, each of which may be absent; unknown ones are refused. */
export const object =
  <F extends Fields>(fields: F): Parse<Parsed<F>> =>
  (value, path) => {
    const out: Record<string, unknown> = {};
    for (const [name, entry] of Object.entries(asObject(value, path))) {
      const parse = Object.hasOwn(fields, name) ? fields[name] : undefined;
      const at = path ? `${path}.${name}` : name;
      if (!parse) throw new ScriptError(at, `is unknown; known here: ${Object.keys(fields).join(', ')}`);
      out[name] = parse(entry, at);
    }
    return out as Parsed<F>;
  };

function asObject(value: unknown, path: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ScriptError(path, `must be an object, got ${JSON.stringify(value)}`);
  return value;
}

const SUFFIX: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

/** A memory quantity, in bytes. */
export const bytes: Parse<number> = (value, path) => {
  const found = /^(\d+(?:\.\d+)?)(|k|M|G|Ki|Mi|Gi)$/.exec(String(value));
  if (!found) throw new ScriptError(path, `must be a quantity such as 64Mi, got ${JSON.stringify(value)}`);
  return Math.round(Number(found[1]) * (SUFFIX[found[2] ?? ''] ?? 1));
};

/** A CPU quantity, in thousandths of a core. */
export const milliCpu: Parse<number> = (value, path) => {
  const found = /^(\d+(?:\.\d+)?)(m?)$/.exec(String(value));
  if (!found) throw new ScriptError(path, `must be a quantity such as 100m or 2, got ${JSON.stringify(value)}`);
  return Number(found[1]) * (found[2] === 'm' ? 1 : 1000);
};

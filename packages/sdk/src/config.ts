import type { ConfigIssue, ConfigSchema } from './config-schema.js';

/** A field of `configObject`: how to check it and what it is when absent. */
export interface ConfigField<T> {
  readonly parse: (value: unknown) => { readonly value: T } | { readonly message: string };
  readonly required: boolean;
  readonly fallback?: T;
}

type FieldsOutput<F> = { [K in keyof F]: F[K] extends ConfigField<infer T> ? T : never };

const expected = (what: string, value: unknown) => ({ message: `must be ${what}, got ${value === null ? 'null' : typeof value}` });

/** Small field checkers for plugin configuration; anything richer may bring its own Standard Schema. */
export const field = {
  string: (fallback?: string): ConfigField<string> => make<string>((v) => (typeof v === 'string' ? { value: v } : expected('a string', v)), fallback),
  integer: (fallback?: number, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): ConfigField<number> =>
    make<number>((v) => {
      if (typeof v !== 'number' || !Number.isSafeInteger(v)) return expected('an integer', v);
      return v < min || v > max ? { message: `must be between ${min} and ${max}, got ${v}` } : { value: v };
    }, fallback),
  boolean: (fallback?: boolean): ConfigField<boolean> => make<boolean>((v) => (typeof v === 'boolean' ? { value: v } : expected('true or false', v)), fallback),
  oneOf: <const T extends string>(values: readonly T[], fallback?: T): ConfigField<T> =>
    make<T>((v) => (values.includes(v as T) ? { value: v as T } : { message: `must be one of ${values.join(', ')}` }), fallback),
  list: <T>(item: ConfigField<T>, fallback?: readonly T[]): ConfigField<readonly T[]> =>
    make<readonly T[]>((v) => {
      if (!Array.isArray(v)) return expected('a list', v);
      const out: T[] = [];
      for (const [i, entry] of v.entries()) {
        const r = item.parse(entry);
        if ('message' in r) return { message: `[${i}] ${r.message}` };
        out.push(r.value);
      }
      return { value: out };
    }, fallback),
  /** Any value that `is` accepts: functions, class instances, nested plugin values. */
  value: <T>(what: string, is: (v: unknown) => v is T, fallback?: T): ConfigField<T> => make<T>((v) => (is(v) ? { value: v } : expected(what, v)), fallback),
  optional: <T>(of: ConfigField<T>): ConfigField<T | undefined> => ({ parse: of.parse, required: false }),
};

function make<T>(parse: (value: unknown) => { readonly value: NoInfer<T> } | { readonly message: string }, fallback: T | undefined): ConfigField<T> {
  return fallback === undefined ? { parse, required: true } : { parse, required: false, fallback };
}

/** A Standard Schema for an object: reports every wrong, missing and unknown field together. */
export function configObject<F extends Record<string, ConfigField<unknown>>>(fields: F): ConfigSchema<FieldsOutput<F>> {
  return {
    '~standard': {
      version: 1,
      vendor: 'coxswain',
      validate(input) {
        if (input !== undefined && (typeof input !== 'object' || input === null || Array.isArray(input))) {
          return { issues: [{ message: 'must be an object', path: [] }] };
        }
        const source = (input ?? {}) as Record<string, unknown>;
        const issues: ConfigIssue[] = [];
        const out: Record<string, unknown> = {};
        for (const [name, f] of Object.entries(fields)) {
          const given = source[name];
          if (given === undefined) {
            if (f.required) issues.push({ message: 'is required', path: [name] });
            else out[name] = f.fallback;
            continue;
          }
          const result = f.parse(given);
          if ('message' in result) issues.push({ message: result.message, path: [name] });
          else out[name] = result.value;
        }
        for (const name of Object.keys(source)) {
          if (!(name in fields)) issues.push({ message: `is unknown; known fields: ${Object.keys(fields).join(', ') || 'none'}`, path: [name] });
        }
        return issues.length > 0 ? { issues } : { value: out as FieldsOutput<F> };
      },
    },
  };
}

/** The schema of a plugin that takes no configuration. */
export const noConfig = configObject({});

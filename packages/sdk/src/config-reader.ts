/** An object of a configuration, of which nothing is known yet. */
export type ConfigObject = Readonly<Record<string, unknown>>;

/** Reads fields of a configuration file and collects everything that is wrong with them, each with its path. */
export class ConfigReader {
  readonly problems: string[] = [];

  problem(path: string, what: string): void {
    this.problems.push(`${path}: ${what}`);
  }

  /** An object with no fields but these. */
  object(value: unknown, path: string, known: readonly string[]): ConfigObject {
    if (value === undefined || value === null) return {};
    if (typeof value !== 'object' || Array.isArray(value)) {
      this.problem(path, `must be an object, got ${JSON.stringify(value)}`);
      return {};
    }
    const at = path === '' ? '' : `${path}.`;
    for (const key of Object.keys(value)) if (!known.includes(key)) this.problem(`${at}${key}`, `unknown or not supported (supported: ${known.join(', ')})`);
    return value as ConfigObject;
  }

  list(value: unknown, path: string): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    this.problem(path, 'must be a list');
    return [];
  }

  text(value: unknown, path: string, fallback: string): string {
    if (value === undefined) return fallback;
    if (typeof value === 'string' && value !== '') return value;
    this.problem(path, `must be a string, got ${JSON.stringify(value)}`);
    return fallback;
  }

  texts(value: unknown, path: string): string[] {
    return this.list(value, path).map((v, i) => this.text(v, `${path}[${i}]`, ''));
  }

  choice<const T extends string>(value: unknown, path: string, choices: readonly T[], fallback: T): T {
    if (value === undefined) return fallback;
    if (choices.includes(value as T)) return value as T;
    this.problem(path, `must be ${choices.join(' or ')}, got ${JSON.stringify(value)}`);
    return fallback;
  }

  integer(value: unknown, path: string, fallback: number, min: number, max = Number.MAX_SAFE_INTEGER): number {
    if (value === undefined || value === null) return fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`;
    this.problem(path, `must be ${range}, got ${JSON.stringify(value)}`);
    return fallback;
  }

  boolean(value: unknown, path: string, fallback: boolean): boolean {
    if (value === undefined || value === null) return fallback;
    if (typeof value === 'boolean') return value;
    this.problem(path, `must be true or false, got ${JSON.stringify(value)}`);
    return fallback;
  }

  /** Anything else: `parse` answers undefined for what is not `what`. */
  parsed<T>(value: unknown, path: string, fallback: T, what: string, parse: (value: unknown) => T | undefined): T {
    if (value === undefined) return fallback;
    const out = parse(value);
    if (out === undefined) this.problem(path, `must be ${what}, got ${JSON.stringify(value)}`);
    return out ?? fallback;
  }

  /** A field that has one answer here: any other value is a problem. */
  settled(value: unknown, path: string, takes: readonly unknown[], because: string): void {
    if (value !== undefined && !takes.includes(value)) this.problem(path, `${because} (takes ${takes.map((t) => JSON.stringify(t)).join(' or ')})`);
  }
}

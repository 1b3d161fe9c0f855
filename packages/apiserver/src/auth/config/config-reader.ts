import { JSON_SCHEMA, load } from 'js-yaml';
import { parseDuration } from '@coxswain/apimachinery';

const API_VERSIONS = ['apiserver.config.k8s.io/v1', 'apiserver.config.k8s.io/v1beta1', 'apiserver.config.k8s.io/v1alpha1'];

type Raw = Readonly<Record<string, unknown>>;

/** Everything that is wrong with a configuration file, by field. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError';

  constructor(readonly problems: readonly string[]) {
    super(problems.join('; '));
  }
}

/** One object of a configuration file. Fields that are not asked for are problems, so that a typo is not a hole. */
export class ConfigReader {
  readonly #seen = new Set<string>();

  constructor(
    readonly raw: Raw,
    readonly path: string,
    readonly problems: string[],
  ) {}

  /** The whole file; throws when it is of another kind. */
  static file(text: string, kind: string, apiVersions: readonly string[] = API_VERSIONS): ConfigReader {
    let value: unknown;
    try {
      value = load(text, { schema: JSON_SCHEMA });
    } catch (error) {
      throw new ConfigFileError([`not YAML: ${(error as Error).message}`]);
    }
    const raw = (typeof value === 'object' && value !== null ? value : {}) as Raw;
    if (raw.kind !== kind || !apiVersions.includes(raw.apiVersion as string)) throw new ConfigFileError([`not an ${kind} of ${apiVersions[0]}`]);
    const reader = new ConfigReader(raw, '', []);
    reader.#seen.add('kind').add('apiVersion');
    return reader;
  }

  has(name: string): boolean {
    return this.raw[name] !== undefined && this.raw[name] !== null;
  }

  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  problem(name: string, message: string): void {
    this.problems.push(`${this.at(name)}: ${message}`);
  }

  string(name: string, fallback?: string): string {
    const value = this.#take(name);
    if (value === undefined) {
      if (fallback === undefined) this.problem(name, 'Required value');
      return fallback ?? '';
    }
    if (typeof value === 'string') return value;
    this.problem(name, `Invalid value: ${JSON.stringify(value)}: must be a string`);
    return '';
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.#take(name);
    if (value === undefined || typeof value === 'boolean') return value ?? fallback;
    this.problem(name, `Invalid value: ${JSON.stringify(value)}: must be true or false`);
    return fallback;
  }

  integer(name: string, least: number, most: number, fallback: number): number {
    const value = this.#take(name);
    if (value === undefined) return fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    this.problem(name, `Invalid value: ${JSON.stringify(value)}: must be a whole number from ${least} to ${most}`);
    return fallback;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[], fallback?: T): T {
    const value = this.string(name, fallback);
    if (value !== '' && !allowed.includes(value as T))
      this.problem(name, `Unsupported value: ${JSON.stringify(value)}: supported values: ${allowed.map((each) => JSON.stringify(each)).join(', ')}`);
    return value as T;
  }

  /** Milliseconds. */
  duration(name: string, fallback: number): number {
    if (!this.has(name)) return fallback;
    const ms = parseDuration(this.string(name));
    if (ms === undefined || ms < 0) this.problem(name, `Invalid value: ${JSON.stringify(this.raw[name])}: must be a duration such as 5m or 30s`);
    return ms ?? fallback;
  }

  strings(name: string): string[] {
    return this.#items(name).flatMap((value, i) => {
      if (typeof value === 'string') return [value];
      this.problem(`${name}[${i}]`, 'must be a string');
      return [];
    });
  }

  object(name: string): ConfigReader {
    const value = this.#take(name) ?? {};
    if (typeof value === 'object' && !Array.isArray(value)) return new ConfigReader(value as Raw, this.at(name), this.problems);
    this.problem(name, 'must be an object');
    return new ConfigReader({}, this.at(name), this.problems);
  }

  objects(name: string): ConfigReader[] {
    return this.#items(name).flatMap((value, i) => {
      const at = `${this.at(name)}[${i}]`;
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return [new ConfigReader(value as Raw, at, this.problems)];
      this.problems.push(`${at}: must be an object`);
      return [];
    });
  }

  /** After everything was asked for: what is left is unknown. */
  done(): void {
    for (const name of Object.keys(this.raw)) if (!this.#seen.has(name)) this.problem(name, 'unknown field');
  }

  #items(name: string): readonly unknown[] {
    const value = this.#take(name) ?? [];
    if (Array.isArray(value)) return value;
    this.problem(name, 'must be a list');
    return [];
  }

  #take(name: string): unknown {
    this.#seen.add(name);
    return this.raw[name] ?? undefined;
  }
}

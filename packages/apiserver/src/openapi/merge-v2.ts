import { deepEqual } from '@coxswain/apimachinery';

/** The parts of an OpenAPI v2 document that are merged. */
export interface V2Document {
  readonly paths: Readonly<Record<string, unknown>>;
  readonly definitions: Readonly<Record<string, unknown>>;
}

const REF = '#/definitions/';

/**
 * One document of several servers'. The first that has a path or a definition keeps it; a definition of the same name that says
 * something else is added under a name of its own (`…_v2`), and what refers to it follows.
 */
export function mergeV2<Own extends V2Document>(own: Own, others: readonly V2Document[]): Own {
  const paths: Record<string, unknown> = { ...own.paths };
  const definitions: Record<string, unknown> = { ...own.definitions };
  for (const other of others) {
    const renamed = new Map<string, string>();
    for (const [name, definition] of Object.entries(other.definitions)) {
      if (!Object.hasOwn(definitions, name) || deepEqual(definitions[name], definition)) continue;
      for (let n = 2; ; n++) {
        const free = `${name}_v${n}`;
        if (Object.hasOwn(definitions, free) && !deepEqual(definitions[free], definition)) continue;
        renamed.set(name, free);
        break;
      }
    }
    const follow = <T>(value: T): T => (renamed.size === 0 ? value : (rewrite(value, renamed) as T));
    for (const [name, definition] of Object.entries(other.definitions)) definitions[renamed.get(name) ?? name] ??= follow(definition);
    for (const [path, item] of Object.entries(other.paths)) paths[path] ??= follow(item);
  }
  return { ...own, paths: sorted(paths), definitions: sorted(definitions) };
}

function rewrite(value: unknown, renamed: ReadonlyMap<string, string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => rewrite(item, renamed));
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      if (key !== '$ref' || typeof member !== 'string' || !member.startsWith(REF)) return [key, rewrite(member, renamed)];
      const name = member.slice(REF.length);
      return [key, REF + (renamed.get(name) ?? name)];
    }),
  );
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

import type { ResourceDefinition } from '@coxswain/api';
import { compareVersions, formatGvk, type GroupVersion } from './group-version.js';

/** What a mapping needs of a definition; discovery can provide it too. */
export type MappedResource = Pick<ResourceDefinition, 'group' | 'version' | 'kind' | 'resource' | 'singular' | 'shortNames' | 'namespaced'>;

export class NoMatchError extends Error {
  override readonly name = 'NoMatchError';
}

/** Kind ↔ resource, over a table of resources. Later additions win over earlier ones of the same name. */
export class RestMapper<R extends MappedResource = MappedResource> {
  readonly #byKind = new Map<string, R>();
  readonly #byResource = new Map<string, R>();
  readonly #all: R[] = [];

  constructor(resources: Iterable<R> = []) {
    for (const r of resources) this.add(r);
  }

  add(r: R): void {
    this.#byKind.set(`${r.group}/${r.version}/${r.kind}`, r);
    this.#byResource.set(`${r.group}/${r.version}/${r.resource}`, r);
    this.#all.push(r);
  }

  resources(): readonly R[] {
    return this.#all;
  }

  /** Undefined for an unknown kind. */
  findKind(gv: GroupVersion, kind: string): R | undefined {
    return this.#byKind.get(`${gv.group}/${gv.version}/${kind}`);
  }

  findResource(gv: GroupVersion, resource: string): R | undefined {
    return this.#byResource.get(`${gv.group}/${gv.version}/${resource}`);
  }

  /** Throws `NoMatchError`. */
  kind(gv: GroupVersion, kind: string): R {
    const found = this.findKind(gv, kind);
    if (!found)
      throw new NoMatchError(
        `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(gv.group === '' ? gv.version : `${gv.group}/${gv.version}`)}`,
      );
    return found;
  }

  /** The preferred version of a group's kind. */
  preferredKind(group: string, kind: string): R | undefined {
    let best: R | undefined;
    for (const r of this.#all) {
      if (r.group === group && r.kind === kind && (!best || compareVersions(r.version, best.version) < 0)) best = r;
    }
    return best;
  }

  /** Finds what a person typed: plural, singular, short name or kind, with an optional `.group` or `.version.group`. */
  lookup(argument: string): R | undefined {
    const [word = '', ...rest] = argument.toLowerCase().split('.');
    const suffix = rest.join('.');
    const named = this.#all.filter((r) => r.resource === word || r.singular === word || r.shortNames.includes(word) || r.kind.toLowerCase() === word);
    const fits = (r: R) => suffix === '' || r.group === suffix || `${r.version}.${r.group}` === suffix || (r.group === '' && r.version === suffix);
    return named.filter(fits).sort((a, b) => (a.group === b.group ? compareVersions(a.version, b.version) : 0))[0];
  }
}

export const describeMapping = (r: MappedResource): string => formatGvk(r);

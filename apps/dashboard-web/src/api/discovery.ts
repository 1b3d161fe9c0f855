import { json, k8s } from './request';
import type { Resource } from './resource';

interface Aggregated {
  readonly items: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly freshness?: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind?: { readonly kind: string };
        readonly scope: 'Namespaced' | 'Cluster';
        readonly verbs: readonly string[];
        readonly shortNames?: readonly string[];
      }[];
    }[];
  }[];
}

const ACCEPT = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Every resource that can be listed, custom and aggregated ones too, in the version the server prefers. */
export async function discover(signal?: AbortSignal): Promise<Resource[]> {
  const options = { accept: ACCEPT, ...(signal ? { signal } : {}) };
  const [core, groups] = await Promise.all([json<Aggregated>(k8s('/api'), options), json<Aggregated>(k8s('/apis'), options)]);
  return [...core.items, ...groups.items].flatMap((group) => {
    const seen = new Set<string>();
    return group.versions.flatMap(({ version, resources = [] }) =>
      resources.flatMap((r): Resource[] => {
        if (seen.has(r.resource) || !r.verbs.includes('list')) return [];
        seen.add(r.resource);
        const { resource: name, verbs, shortNames = [] } = r;
        return [
          { group: group.metadata?.name ?? '', version, name, kind: r.responseKind?.kind ?? name, namespaced: r.scope === 'Namespaced', verbs, shortNames },
        ];
      }),
    );
  });
}

import type { ResourceRef } from '@coxswain/client';
import type { KubeClient } from '@coxswain/client';

/** A served resource, in its group's preferred version. */
export interface ServedResource extends ResourceRef {
  readonly kind: string;
  readonly verbs: readonly string[];
}

export interface Discovery {
  readonly resources: readonly ServedResource[];
  /** Group versions that could not be asked (an aggregated API server is down). */
  readonly failed: readonly string[];
  /** Ids of the resources that have a scale subresource. */
  readonly scalable: ReadonlySet<string>;
}

interface GroupList {
  readonly groups?: readonly {
    readonly name: string;
    readonly versions: readonly { readonly groupVersion: string; readonly version: string }[];
    readonly preferredVersion?: { readonly groupVersion: string };
  }[];
}
interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean; readonly verbs: readonly string[] }[];
}

/** Every resource the API server serves, each once. Subresources are left out. */
export async function discover(client: KubeClient, signal: AbortSignal): Promise<Discovery> {
  const groups = await client.get<GroupList>('/apis', { signal });
  const wanted: { group: string; version: string; path: string }[] = [{ group: '', version: 'v1', path: '/api/v1' }];
  for (const g of groups.groups ?? []) {
    const preferred = g.preferredVersion?.groupVersion;
    const versions = [...g.versions].sort((a, b) => Number(b.groupVersion === preferred) - Number(a.groupVersion === preferred));
    for (const v of versions) wanted.push({ group: g.name, version: v.version, path: `/apis/${v.groupVersion}` });
  }
  const lists = await Promise.allSettled(wanted.map((w) => client.get<ResourceList>(w.path, { signal })));
  const found = new Map<string, ServedResource>();
  const failed: string[] = [];
  const scalable = new Set<string>();
  lists.forEach((result, i) => {
    const { group, version, path } = wanted[i] as (typeof wanted)[number];
    if (result.status === 'rejected') return void failed.push(path.replace(/^\/apis?\//, ''));
    for (const r of result.value.resources ?? []) {
      if (r.name.endsWith('/scale') && r.kind === 'Scale') scalable.add(resourceId({ group, resource: r.name.slice(0, -'/scale'.length) }));
      const id = `${group}/${r.name}`;
      if (r.name.includes('/') || found.has(id)) continue;
      found.set(id, { group, version, resource: r.name, kind: r.kind, namespaced: r.namespaced, verbs: r.verbs });
    }
  });
  return { resources: [...found.values()], failed, scalable };
}

export const resourceId = (r: { readonly group: string; readonly resource: string }): string => (r.group === '' ? r.resource : `${r.resource}.${r.group}`);

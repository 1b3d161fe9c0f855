import { createHash } from 'node:crypto';
import type { ResourceDefinition, Subresource } from '@coxswain/api';

const VERB_ORDER = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const METHOD_VERBS: Readonly<Record<string, string>> = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

interface SubresourceInfo {
  readonly name: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly verbs: readonly string[];
}

function subresourceInfo(definition: ResourceDefinition, sub: Subresource): SubresourceInfo {
  const own = { group: definition.group, version: definition.version, kind: definition.kind };
  switch (sub.type) {
    case 'status':
      return { name: 'status', kind: own, verbs: ['get', 'patch', 'update'] };
    case 'scale':
      return { name: 'scale', kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: ['get', 'patch', 'update'] };
    case 'part':
      return { name: sub.name, kind: own, verbs: sorted(sub.verbs) };
    case 'action':
      return { name: sub.name, kind: sub.kind, verbs: sorted(sub.verbs.length > 0 ? sub.verbs : sub.http.map((method) => METHOD_VERBS[method] as string)) };
  }
}

const sorted = (verbs: readonly string[]): string[] => [...new Set(verbs)].sort((a, b) => VERB_ORDER.indexOf(a) - VERB_ORDER.indexOf(b));

/** Entries of an APIResourceList: the resource, then its subresources. */
export function apiResources(definition: ResourceDefinition): object[] {
  const main = {
    name: definition.resource,
    singularName: definition.singular,
    namespaced: definition.namespaced,
    kind: definition.kind,
    verbs: sorted(definition.verbs),
    ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
    ...(definition.categories.length > 0 ? { categories: definition.categories } : {}),
    ...(definition.virtual ? {} : { storageVersionHash: storageVersionHash(definition) }),
  };
  const subs = definition.subresources
    .map((sub) => subresourceInfo(definition, sub))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, kind, verbs }) => {
      const foreign = kind.group !== definition.group || kind.version !== definition.version;
      return {
        name: `${definition.resource}/${name}`,
        singularName: '',
        namespaced: definition.namespaced,
        ...(foreign ? { group: kind.group, version: kind.version } : {}),
        kind: kind.kind,
        verbs,
      };
    });
  return [main, ...subs];
}

/** The entry of an APIVersionDiscovery. */
export function aggregatedResources(definition: ResourceDefinition): object {
  const subs = definition.subresources.map((sub) => subresourceInfo(definition, sub)).sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    resource: definition.resource,
    responseKind: { group: definition.group, version: definition.version, kind: definition.kind },
    scope: definition.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: definition.singular,
    verbs: sorted(definition.verbs),
    ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
    ...(definition.categories.length > 0 ? { categories: definition.categories } : {}),
    ...(subs.length > 0 ? { subresources: subs.map(({ name, kind, verbs }) => ({ subresource: name, responseKind: kind, verbs })) } : {}),
  };
}

/** Upstream's hash of the stored kind: 8 bytes of SHA-256 of group/version/kind in base64. */
function storageVersionHash(definition: ResourceDefinition): string {
  const { group, version, kind } = definition.storageVersion ?? definition;
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');
}

import type { Resource } from '../api/resource';

export interface CatalogGroup {
  readonly title: string;
  readonly resources: readonly Resource[];
}

/** Where users look for what; whatever is not named here is listed by its API group. */
const SECTIONS: readonly (readonly [title: string, resources: readonly string[]])[] = [
  [
    'Workloads',
    [
      'pods',
      'deployments.apps',
      'statefulsets.apps',
      'daemonsets.apps',
      'replicasets.apps',
      'jobs.batch',
      'cronjobs.batch',
      'horizontalpodautoscalers.autoscaling',
    ],
  ],
  ['Network', ['services', 'endpointslices.discovery.k8s.io', 'ingresses.networking.k8s.io', 'networkpolicies.networking.k8s.io']],
  ['Config', ['configmaps', 'secrets', 'resourcequotas', 'limitranges', 'poddisruptionbudgets.policy', 'priorityclasses.scheduling.k8s.io']],
  ['Storage', ['persistentvolumeclaims', 'persistentvolumes', 'storageclasses.storage.k8s.io']],
  [
    'Cluster',
    ['nodes', 'namespaces', 'events', 'leases.coordination.k8s.io', 'customresourcedefinitions.apiextensions.k8s.io', 'apiservices.apiregistration.k8s.io'],
  ],
  [
    'Access',
    [
      'serviceaccounts',
      'roles.rbac.authorization.k8s.io',
      'rolebindings.rbac.authorization.k8s.io',
      'clusterroles.rbac.authorization.k8s.io',
      'clusterrolebindings.rbac.authorization.k8s.io',
    ],
  ],
];

const fullName = (r: Resource) => (r.group === '' ? r.name : `${r.name}.${r.group}`);
const isBuiltIn = (group: string) => !group.includes('.') || group.endsWith('.k8s.io');

/** The resources in sections: the usual ones, then custom ones by group, then the rest. */
export function catalog(resources: readonly Resource[]): CatalogGroup[] {
  const left = new Map(resources.map((r) => [fullName(r), r]));
  const take = (name: string) => {
    const found = left.get(name);
    left.delete(name);
    return found ? [found] : [];
  };
  const known = SECTIONS.map(([title, names]) => ({ title, resources: names.flatMap(take) }));
  // Events are in two groups; one list is enough.
  left.delete('events.events.k8s.io');
  const custom = new Map<string, Resource[]>();
  const other: Resource[] = [];
  for (const r of left.values()) {
    if (isBuiltIn(r.group)) other.push(r);
    else custom.set(r.group, [...(custom.get(r.group) ?? []), r]);
  }
  const byGroup = [...custom].sort(([a], [b]) => a.localeCompare(b)).map(([title, found]) => ({ title, resources: found }));
  return [...known, ...byGroup, { title: 'More', resources: other.sort((a, b) => a.kind.localeCompare(b.kind)) }].filter((g) => g.resources.length > 0);
}

/** `EndpointSlice` → `Endpoint slices`. */
export function title({ kind, name }: Resource): string {
  const words = kind
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(' ');
  const text = words.map((w, i) => (i === 0 || w === w.toUpperCase() ? w : w.toLowerCase())).join(' ');
  // The plural is the resource's own.
  const ending = name.toLowerCase().startsWith(kind.toLowerCase()) ? name.slice(kind.length) : name.endsWith('ies') && text.endsWith('y') ? 'ies' : 's';
  return ending === 'ies' ? `${text.slice(0, -1)}ies` : text + ending;
}

/** A resource as discovery tells of it. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  /** Plural: `deployments`. */
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly controller?: boolean }[];
  readonly managedFields?: readonly { readonly manager?: string; readonly operation?: string; readonly time?: string; readonly subresource?: string }[];
}

/** Any object; what is inside differs by kind. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  // biome-ignore lint/suspicious/noExplicitAny: the shapes of arbitrary, also custom, resources are known at run time only
  readonly [field: string]: any;
}

export const apiVersionOf = ({ group, version }: Pick<Resource, 'group' | 'version'>) => (group === '' ? version : `${group}/${version}`);
export const resourceKey = ({ group, version, name }: Pick<Resource, 'group' | 'version' | 'name'>) => `${group || 'core'}/${version}/${name}`;

export function collectionPath(resource: Resource, namespace?: string): string {
  const base = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  return resource.namespaced && namespace ? `${base}/namespaces/${encodeURIComponent(namespace)}/${resource.name}` : `${base}/${resource.name}`;
}

export const objectPath = (resource: Resource, namespace: string | undefined, name: string) =>
  `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;

export const PODS: Resource = {
  group: '',
  version: 'v1',
  name: 'pods',
  kind: 'Pod',
  namespaced: true,
  verbs: ['get', 'list', 'watch', 'create', 'delete', 'patch'],
  shortNames: ['po'],
};
export const EVENTS: Resource = {
  group: '',
  version: 'v1',
  name: 'events',
  kind: 'Event',
  namespaced: true,
  verbs: ['get', 'list', 'watch'],
  shortNames: ['ev'],
};
export const NODES: Resource = {
  group: '',
  version: 'v1',
  name: 'nodes',
  kind: 'Node',
  namespaced: false,
  verbs: ['get', 'list', 'watch', 'patch'],
  shortNames: ['no'],
};
export const NAMESPACES: Resource = {
  group: '',
  version: 'v1',
  name: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
  verbs: ['get', 'list', 'watch'],
  shortNames: ['ns'],
};

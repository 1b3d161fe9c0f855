import type { GroupVersionKind, ResourceDefinition, Subresource, Verb } from '@coxswain/api';
import {
  connectParameters,
  deleteParameters,
  listParameters,
  logParameters,
  namePath,
  namespacePath,
  patchParameters,
  pretty,
  restPath,
  writeParameters,
} from './parameters.js';
import type { Parameter } from './parameters.js';
import { META, PATCH } from './special-types.js';
import { returnsDeleted } from '../rest/returns-deleted.js';

export type Method = 'get' | 'put' | 'post' | 'delete' | 'options' | 'head' | 'patch';

/** What a body is: a named type, or any text. */
export type Content = { readonly type: 'ref'; readonly name: string } | { readonly type: 'text' };

/** An operation in terms both dialects can be written from. */
export interface Operation {
  readonly id: string;
  readonly description: string;
  readonly action: string;
  readonly kind: GroupVersionKind;
  readonly parameters: readonly Parameter[];
  readonly body?: Content;
  readonly bodyRequired?: boolean;
  /** Media types of the body; absent: any. */
  readonly consumes?: readonly string[];
  readonly produces: readonly string[];
  /** By status code. */
  readonly responses: Readonly<Record<number, Content>>;
  readonly deprecated?: boolean;
}

export interface PathItem {
  readonly path: string;
  /** Path parameters, and those every operation takes. */
  readonly parameters: readonly Parameter[];
  readonly operations: Readonly<Partial<Record<Method, Operation>>>;
}

const STATUS_TYPE = `${META}.Status`;
const DELETE_OPTIONS = `${META}.DeleteOptions`;
const PATCH_TYPES = ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml'];
const CODE_TEXT: Readonly<Record<string, string>> = { GET: 'Get', POST: 'Post', PUT: 'Put', PATCH: 'Patch', DELETE: 'Delete' };

export interface OperationSource {
  readonly definition: ResourceDefinition;
  readonly mediaTypes: readonly string[];
  /** The kind has a schema of fixed structure: strategic merge patches work. */
  readonly strategic: boolean;
  readonly listSchema: string;
}

const ref = (name: string): Content => ({ type: 'ref', name });

/** `rbac.authorization.k8s.io` → `RbacAuthorization`, '' → `Core`. */
export function groupTitle(group: string): string {
  if (group === '') return 'Core';
  return group
    .replace(/\.k8s\.io$/, '')
    .split(/[.-]/)
    .map(title)
    .join('');
}

/** `core_v1`, `rbacAuthorization_v1`: the tag operations are grouped by. */
export function tagOf(group: string, version: string): string {
  const name = groupTitle(group);
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}_${version}`;
}

const title = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** OpenAPI name of the type of an API kind that is not a resource of its own (Scale, Eviction, Binding, TokenRequest). */
export function kindSchema({ group, version, kind }: GroupVersionKind): string {
  return `io.k8s.api.${group === '' ? 'core' : group.replace(/\.k8s\.io$/, '')}.${version}.${kind}`;
}

/** All paths of one resource. */
export function pathsOf(source: OperationSource): PathItem[] {
  const { definition: d } = source;
  const root = d.group === '' ? `/api/${d.version}` : `/apis/${d.group}/${d.version}`;
  const scope = d.namespaced ? '/namespaces/{namespace}' : '';
  const scoped = d.namespaced ? [namespacePath, pretty] : [pretty];
  const prefix = `${groupTitle(d.group)}${title(d.version)}`;
  const noun = `${d.namespaced ? 'Namespaced' : ''}${d.kind}`;
  const has = (verb: Verb) => d.verbs.includes(verb);
  const own: GroupVersionKind = { group: d.group, version: d.version, kind: d.kind };
  const base = { kind: own, produces: source.mediaTypes };
  const streamed = [...source.mediaTypes, ...source.mediaTypes.filter((type) => type !== 'application/yaml').map((type) => `${type};stream=watch`)];
  const object = ref(d.schema);
  const out: PathItem[] = [];

  const collection: PathItem['operations'] = {
    ...(has('list')
      ? {
          get: {
            ...base,
            produces: streamed,
            id: `list${prefix}${noun}`,
            description: `List or watch ${d.resource}.`,
            action: 'list',
            parameters: listParameters,
            responses: { 200: ref(source.listSchema) },
          },
        }
      : {}),
    ...(has('create')
      ? {
          post: {
            ...base,
            id: `create${prefix}${noun}`,
            description: `Create a ${d.kind}.`,
            action: 'post',
            parameters: writeParameters,
            body: object,
            bodyRequired: true,
            responses: { 200: object, 201: object, 202: object },
          },
        }
      : {}),
    ...(has('deletecollection')
      ? {
          delete: {
            ...base,
            id: `delete${prefix}Collection${noun}`,
            description: `Delete all selected ${d.resource}.`,
            action: 'deletecollection',
            parameters: [...deleteParameters, ...listParameters.filter(({ name }) => name !== 'allowWatchBookmarks' && name !== 'watch')],
            body: ref(DELETE_OPTIONS),
            responses: { 200: ref(STATUS_TYPE) },
          },
        }
      : {}),
  };
  push(out, `${root}${scope}/${d.resource}`, scoped, collection);
  const item: PathItem['operations'] = {
    ...(has('get')
      ? { get: { ...base, id: `read${prefix}${noun}`, description: `Read the ${d.kind}.`, action: 'get', parameters: [], responses: { 200: object } } }
      : {}),
    ...(has('update')
      ? {
          put: {
            ...base,
            id: `replace${prefix}${noun}`,
            description: `Replace the ${d.kind}.`,
            action: 'put',
            parameters: writeParameters,
            body: object,
            bodyRequired: true,
            responses: { 200: object, 201: object },
          },
        }
      : {}),
    ...(has('patch') ? { patch: patchOperation(source, `patch${prefix}${noun}`, `Change parts of the ${d.kind}.`, own, object) } : {}),
    ...(has('delete')
      ? {
          delete: {
            ...base,
            id: `delete${prefix}${noun}`,
            description: `Delete the ${d.kind}.`,
            action: 'delete',
            parameters: deleteParameters,
            body: ref(DELETE_OPTIONS),
            responses: returnsDeleted(d) ? { 200: object, 202: object } : { 200: ref(STATUS_TYPE), 202: ref(STATUS_TYPE) },
          },
        }
      : {}),
  };
  push(out, `${root}${scope}/${d.resource}/{name}`, [namePath, ...scoped], item);
  for (const sub of d.subresources) out.push(...subresourcePaths(source, sub, `${root}${scope}/${d.resource}/{name}`, [namePath, ...scoped], prefix, noun));
  if (d.namespaced && has('list')) {
    push(out, `${root}/${d.resource}`, [pretty, ...listParameters], {
      get: {
        ...base,
        produces: streamed,
        id: `list${prefix}${d.kind}ForAllNamespaces`,
        description: `List or watch ${d.resource} of all namespaces.`,
        action: 'list',
        parameters: [],
        responses: { 200: ref(source.listSchema) },
      },
    });
  }
  if (d.namespaced && d.verbs.length === 1 && has('create')) {
    push(out, `${root}/${d.resource}`, [pretty], {
      post: {
        ...base,
        id: `create${prefix}${d.kind}ForAllNamespaces`,
        description: `Create a ${d.kind}.`,
        action: 'post',
        parameters: writeParameters,
        body: object,
        bodyRequired: true,
        responses: { 200: object, 201: object, 202: object },
      },
    });
  }
  if (has('watch')) out.push(...watchPaths(source, root, scope, scoped, prefix, noun, streamed));
  return out;
}

/** The old form of watching, by path. */
function watchPaths(
  { definition: d }: OperationSource,
  root: string,
  scope: string,
  scoped: readonly Parameter[],
  prefix: string,
  noun: string,
  produces: readonly string[],
): PathItem[] {
  const kind = { group: d.group, version: d.version, kind: d.kind };
  const event = (id: string, action: string): Operation => ({
    id: `watch${prefix}${id}`,
    description: 'Watch by path. Deprecated: use the list with `watch=true`.',
    action,
    kind,
    parameters: [],
    produces,
    responses: { 200: ref(`${META}.WatchEvent`) },
    deprecated: true,
  });
  const out: PathItem[] = [
    { path: `${root}/watch${scope}/${d.resource}`, parameters: [...scoped, ...listParameters], operations: { get: event(`${noun}List`, 'watchlist') } },
    { path: `${root}/watch${scope}/${d.resource}/{name}`, parameters: [namePath, ...scoped, ...listParameters], operations: { get: event(noun, 'watch') } },
  ];
  if (d.namespaced)
    out.push({
      path: `${root}/watch/${d.resource}`,
      parameters: [pretty, ...listParameters],
      operations: { get: event(`${d.kind}ListForAllNamespaces`, 'watchlist') },
    });
  return out;
}

function subresourcePaths(source: OperationSource, sub: Subresource, item: string, parameters: readonly Parameter[], prefix: string, noun: string): PathItem[] {
  const { definition: d, mediaTypes: produces } = source;
  const own = { group: d.group, version: d.version, kind: d.kind };
  const name = sub.type === 'status' || sub.type === 'scale' ? sub.type : sub.name;
  const path = `${item}/${name}`;
  const suffix = name === 'ephemeralcontainers' ? 'Ephemeralcontainers' : title(name);
  const out: PathItem[] = [];
  if (sub.type === 'action') {
    if (sub.verbs.length > 0 && !isConnect(sub)) {
      const body = ref(kindSchema(sub.kind));
      if (name === 'log')
        push(out, path, [...parameters, ...logParameters], {
          get: {
            id: `read${prefix}${noun}Log`,
            description: `Read the log of the ${d.kind}.`,
            action: 'get',
            kind: own,
            parameters: [],
            produces: ['text/plain', ...produces],
            responses: { 200: { type: 'text' } },
          },
        });
      else
        push(out, path, parameters, {
          post: {
            id: `create${prefix}${noun}${suffix}`,
            description: `Create the ${name} of a ${d.kind}.`,
            action: 'post',
            kind: sub.kind,
            parameters: writeParameters,
            produces,
            body,
            bodyRequired: true,
            responses: { 200: body, 201: body, 202: body },
          },
        });
      return out;
    }
    const options = connectParameters[sub.kind.kind] ?? [];
    const connect = (withPath: boolean): PathItem['operations'] =>
      Object.fromEntries(
        [...sub.http, ...(sub.path ? (['HEAD', 'OPTIONS'] as const) : [])].map((method): [Method, Operation] => [
          method.toLowerCase() as Method,
          {
            id: `connect${prefix}${CODE_TEXT[method] ?? title(method.toLowerCase())}${noun}${suffix}${withPath ? 'WithPath' : ''}`,
            description: `Connect to the ${name} of the ${d.kind}.`,
            action: 'connect',
            kind: sub.kind,
            parameters: [],
            produces: ['*/*'],
            responses: { 200: { type: 'text' } },
          },
        ]),
      );
    const plain = parameters.filter((parameter) => parameter !== pretty);
    push(out, path, [...plain, ...options], connect(false));
    if (sub.path) push(out, `${path}/{path}`, [...plain, restPath, ...options], connect(true));
    return out;
  }
  const verbs = sub.type === 'part' ? sub.verbs : (['get', 'patch', 'update'] as const);
  const kind = sub.type === 'scale' ? { group: 'autoscaling', version: 'v1', kind: 'Scale' } : own;
  const object = sub.type === 'scale' ? ref(kindSchema(kind)) : ref(d.schema);
  const base = { kind, produces };
  push(out, path, parameters, {
    ...(verbs.includes('get')
      ? {
          get: {
            ...base,
            id: `read${prefix}${noun}${suffix}`,
            description: `Read the ${name} of the ${d.kind}.`,
            action: 'get',
            parameters: [],
            responses: { 200: object },
          },
        }
      : {}),
    ...(verbs.includes('update')
      ? {
          put: {
            ...base,
            id: `replace${prefix}${noun}${suffix}`,
            description: `Replace the ${name} of the ${d.kind}.`,
            action: 'put',
            parameters: writeParameters,
            body: object,
            bodyRequired: true,
            responses: { 200: object, 201: object },
          },
        }
      : {}),
    ...(verbs.includes('patch')
      ? { patch: patchOperation(source, `patch${prefix}${noun}${suffix}`, `Change parts of the ${name} of the ${d.kind}.`, kind, object) }
      : {}),
  });
  return out;
}

function isConnect(sub: Extract<Subresource, { type: 'action' }>): boolean {
  return sub.kind.kind in connectParameters;
}

function patchOperation(source: OperationSource, id: string, description: string, kind: GroupVersionKind, object: Content): Operation {
  const consumes = source.strategic ? PATCH_TYPES : PATCH_TYPES.filter((type) => !type.includes('strategic'));
  return {
    id,
    description,
    action: 'patch',
    kind,
    parameters: patchParameters,
    produces: source.mediaTypes,
    consumes,
    body: ref(PATCH),
    bodyRequired: true,
    responses: { 200: object, 201: object },
  };
}

function push(out: PathItem[], path: string, parameters: readonly Parameter[], operations: PathItem['operations']): void {
  if (Object.keys(operations).length > 0) out.push({ path, parameters, operations });
}

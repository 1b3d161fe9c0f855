import type { FieldError, KubeObject, StructSchema } from '@coxswain/api';
import type { ApiAction, ApiHandlers } from './api-handlers.js';

/** A column of `kubectl get`: by a JSON path, as in a CRD, or by a function. The name comes first by itself. */
export type ApiColumn<T extends KubeObject = KubeObject> = {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** `quantity` and `duration`: of computed cells only. */
  readonly format?: 'int32' | 'int64' | 'password' | 'quantity' | 'duration';
  readonly description?: string;
  /** 1: only with `-o wide`. Default 0. */
  readonly priority?: 0 | 1;
} & ({ readonly jsonPath: string } | { cell(object: T, now: number): string | number | boolean | null });

/** One kind of a custom API server. */
export interface ApiKind<T extends KubeObject = KubeObject> {
  readonly kind: string;
  /** Lower case: the path segment. */
  readonly plural: string;
  /** Default: the kind in lower case. */
  readonly singular?: string;
  /** Default: the kind and `List`. */
  readonly listKind?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  /**
   * `openAPIV3Schema` as a CRD has it: structural, of type `object`, with defaults and `x-kubernetes-validations` where wanted.
   * `metadata` is every object's and need not be in it.
   */
  readonly schema: Readonly<Record<string, unknown>>;
  /**
   * The message objects are in `application/vnd.kubernetes.protobuf`: every field of the schema and `metadata`, each with its number (`proto`).
   * Absent: they have no such form, and whoever accepts nothing else is refused (406).
   */
  readonly protobuf?: StructSchema;
  /** Absent: the age. */
  readonly columns?: readonly ApiColumn<T>[];
  /** JSON paths (`.spec.color`) field selectors may use, besides name and namespace. */
  readonly selectableFields?: readonly string[];
  /** `status` is written through a subresource of its own only. */
  readonly status?: boolean;
  readonly scale?: { readonly specReplicasPath: string; readonly statusReplicasPath: string; readonly labelSelectorPath?: string };
  readonly actions?: readonly ApiAction<T>[];
  /** Changes a new object (`old` undefined) or a changed one in place, before admission. */
  prepare?(object: T, old: T | undefined): void;
  /** Besides the schema. */
  validate?(object: T, old: T | undefined): FieldError[];
  /** Objects are kept elsewhere. Absent: in the server's StateStore, with all verbs. */
  readonly handlers?: ApiHandlers<T>;
}

/** A group version a custom API server serves, as its author declares it. */
export interface ApiServerDefinition {
  /** `metrics-server`; names the server's certificate, user agent and Service. */
  readonly name: string;
  readonly group: string;
  readonly version: string;
  /** Of the APIService. Default 1000 and 100. */
  readonly groupPriorityMinimum?: number;
  readonly versionPriority?: number;
  readonly kinds: readonly ApiKind[];
}

/** All that is wrong with a definition. */
export class ApiServerDefinitionError extends Error {
  override readonly name = 'ApiServerDefinitionError';

  constructor(
    server: string,
    readonly problems: readonly string[],
  ) {
    super(`the API server ${JSON.stringify(server)} is not well defined:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/** A kind with typed objects: `defineApiKind<Flavor>({ … })`. */
export function defineApiKind<T extends KubeObject>(kind: ApiKind<T>): ApiKind {
  return kind as ApiKind;
}

/**
 * Declare a custom API server: a group version and its kinds. A value without side effects; an `ApiServerRuntime` makes a running
 * server of it. Throws ApiServerDefinitionError with everything that is wrong.
 */
export function defineApiServer(definition: ApiServerDefinition): ApiServerDefinition {
  const problems: string[] = [];
  const { name, group, version, kinds } = definition;
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) problems.push(`name: ${JSON.stringify(name)} is not a DNS label`);
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(group) || !group.includes('.')) problems.push(`group: ${JSON.stringify(group)} is not a domain with a dot`);
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(version)) problems.push(`version: ${JSON.stringify(version)} is not a version such as v1alpha1`);
  if (kinds.length === 0) problems.push('kinds: at least one is needed');
  const seen = new Map<string, string>();
  for (const [i, kind] of kinds.entries()) {
    for (const [what, value] of [['kind', kind.kind], ['plural', kind.plural], ...(kind.shortNames ?? []).map((short) => ['shortNames', short])] as [
      string,
      string,
    ][]) {
      const other = seen.get(`${what === 'kind' ? 'kind' : 'name'} ${value}`);
      if (other !== undefined) problems.push(`kinds[${i}].${what}: ${JSON.stringify(value)} is also of ${other}`);
      seen.set(`${what === 'kind' ? 'kind' : 'name'} ${value}`, kind.kind);
    }
    problems.push(...kindProblems(kind).map((problem) => `kinds[${i}].${problem}`));
  }
  if (problems.length > 0) throw new ApiServerDefinitionError(name, problems);
  return Object.freeze({ ...definition, kinds: Object.freeze([...kinds]) });
}

const TAKEN = new Set(['status', 'scale']);

function kindProblems({ handlers, scale, status, schema, protobuf, actions = [] }: ApiKind): string[] {
  const problems: string[] = [];
  if (protobuf) problems.push(...messageProblems(protobuf, schema));
  if (handlers && scale) problems.push('scale: only kinds in the store have it');
  if (handlers && status && !handlers.update) problems.push('status: needs handlers.update');
  if (handlers?.watch && !handlers.list) problems.push('handlers.watch: needs handlers.list');
  const names = actions.map((action) => action.name);
  for (const [i, { name, methods }] of actions.entries()) {
    if (TAKEN.has(name) || names.indexOf(name) !== i) problems.push(`actions[${i}].name: ${JSON.stringify(name)} is taken`);
    if (!/^[a-z]+$/.test(name)) problems.push(`actions[${i}].name: ${JSON.stringify(name)} is not a lower-case word`);
    if (methods.length === 0) problems.push(`actions[${i}].methods: at least one is needed`);
  }
  return problems;
}

/** Whatever has no number would silently be lacking. */
function messageProblems({ fields }: StructSchema, schema: ApiKind['schema']): string[] {
  const numberless = Object.keys(fields).filter((name) => fields[name]?.proto === undefined);
  const lacking = ['metadata', ...Object.keys((schema['properties'] as object | undefined) ?? {})].filter((name) => !(name in fields));
  return [
    ...numberless.map((name) => `protobuf.fields.${name}.proto: a field number is needed`),
    ...lacking
      .filter((name) => name !== 'apiVersion' && name !== 'kind')
      .map((name) => `protobuf.fields.${name}: is in the schema, and so must be in the message`),
  ];
}

import type { FieldError } from './field-error.js';
import type { JsonObject } from './schema.js';

/** Any API object. The machinery works on this; typed code uses the generated interfaces, which are assignable to it. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMetaLike;
  // biome-ignore lint/suspicious/noExplicitAny: the one open door between typed objects and the generic machinery
  [field: string]: any;
}

export interface ObjectMetaLike {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReferenceLike[];
  managedFields?: ManagedFieldsEntryLike[];
  selfLink?: string;
}

export interface OwnerReferenceLike {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntryLike {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: object;
  subresource?: string;
}

export type Verb = 'create' | 'get' | 'list' | 'watch' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** A column of `kubectl get`. `cell` is pure; `now` (ms) is for ages. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: 'name' | '' | 'int32' | 'int64' | 'password' | 'quantity' | 'duration';
  readonly description?: string;
  /** 0: always shown; 1: with `-o wide`. */
  readonly priority: number;
  readonly cell: (object: KubeObject, now: number) => string | number | boolean | null;
}

/** What a strategy may know of the request. */
export interface StrategyContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Uniform in [0,1). */
  readonly random: () => number;
  readonly user?: {
    readonly name: string;
    readonly uid?: string;
    readonly groups: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
}

/**
 * The rules of one resource. All functions are pure; those named `prepare…` and `default` change the object in place.
 * Order on create: default → (mutating admission) → (name) → prepareForCreate → canonicalize → validate → (validating admission). On update:
 * default → (mutating admission) → prepareForUpdate → validateUpdate → (validating admission).
 * `prepare…` drops what the caller may not set (status on a main-resource write, and so on) and bumps `metadata.generation`.
 */
export interface ResourceStrategy {
  readonly default?: (object: KubeObject) => void;
  readonly prepareForCreate?: (object: KubeObject, context: StrategyContext) => void;
  readonly prepareForUpdate?: (object: KubeObject, old: KubeObject, context: StrategyContext) => void;
  /** On create, after `prepareForCreate`. Both run once more when a generated name was taken: with the next one. */
  readonly canonicalize?: (object: KubeObject) => void;
  readonly validate?: (object: KubeObject) => FieldError[];
  /** Runs besides `validate`. */
  readonly validateUpdate?: (object: KubeObject, old: KubeObject) => FieldError[];
  /** `validateUpdate` checks everything itself: `validate` is for creates only. */
  readonly updateIsWhole?: boolean;
  /** Warnings for the `Warning` header. */
  readonly warnings?: (object: KubeObject, old?: KubeObject) => string[];
  /** PUT to a name that does not exist creates it (leases, endpoints, nodes… as upstream). */
  readonly allowCreateOnUpdate?: boolean;
  /** An update without resourceVersion is taken as "overwrite". */
  readonly allowUnconditionalUpdate?: boolean;
  /** How the name is checked: DNS subdomain unless said otherwise. */
  readonly validateName?: (name: string, prefix: boolean) => string[];
  /** Pods: the grace period that applies to a delete (undefined: not gracefully deletable). Returns seconds; 0 deletes at once. */
  readonly gracePeriod?: (object: KubeObject, requested: number | undefined) => number | undefined;
  /** Deleting without a propagation policy does this (Job, ReplicationController: Orphan for old versions). */
  readonly defaultDeletionPropagation?: 'Background' | 'Foreground' | 'Orphan';
}

/** A subresource that reads or writes a part of the stored object, or does something else altogether. */
export type Subresource =
  /** Reads the object, writes only `status` (and what `strategy` leaves alone). */
  | { readonly type: 'status'; readonly strategy?: ResourceStrategy }
  /** autoscaling/v1 Scale over these JSON paths (`spec.replicas`). */
  | { readonly type: 'scale'; readonly specReplicasPath: string; readonly statusReplicasPath: string; readonly labelSelectorPath?: string }
  /** Writes a part of the object by its own rules, e.g. pods/ephemeralcontainers, pods/resize, namespaces/finalize, certificatesigningrequests/approval. */
  | {
      readonly type: 'part';
      readonly name: string;
      readonly verbs: readonly Verb[];
      readonly strategy: ResourceStrategy;
      readonly merge: (stored: KubeObject, written: KubeObject) => KubeObject;
    }
  /** Implemented by a named handler of the API server: binding, eviction, token, log, exec, attach, portforward, proxy. */
  | {
      readonly type: 'action';
      readonly name: string;
      readonly verbs: readonly Verb[];
      readonly kind: GroupVersionKind;
      readonly http: readonly ('GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[];
      readonly path?: boolean;
    };

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/**
 * One served resource: a row of the table that drives everything (ARCHITECTURE §1.2). Adding a built-in resource is adding a row.
 */
export interface ResourceDefinition {
  /** '' for core. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  /** Plural, lower case: the path segment. */
  readonly resource: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** OpenAPI name of the type: `io.k8s.api.core.v1.Pod`. */
  readonly schema: string;
  readonly verbs: readonly Verb[];
  readonly strategy: ResourceStrategy;
  readonly subresources: readonly Subresource[];
  readonly columns: readonly PrinterColumn[];
  /** Supported field selectors beside metadata.name and metadata.namespace: path → value of the object. */
  readonly selectableFields: Readonly<Record<string, (object: KubeObject) => string>>;
  /** Key prefix without a trailing slash, as upstream lays it out: `/registry/pods`, `/registry/services/specs`. */
  readonly storagePrefix: string;
  /** The version written to the store when several are served (`events`: core v1 ↔ events v1; HPA v1 ↔ v2). Absent: this one. */
  readonly storageVersion?: GroupVersionKind;
  /** Conversion between this served version and the stored one; pure. Absent: only apiVersion/kind change. */
  readonly toStorage?: (object: KubeObject) => KubeObject;
  readonly fromStorage?: (object: KubeObject) => KubeObject;
  /** Not persisted: a POST is answered by a named handler (SubjectAccessReview, TokenReview…). */
  readonly virtual?: string;
  /** Whoever asks for it, in whatever way, is told this. */
  readonly deprecated?: string;
}

/** A strategy-level default for objects of unknown type. */
export type Defaulter = (object: JsonObject) => void;

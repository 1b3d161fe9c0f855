import type { KubeObject, OwnerReference } from '@coxswain/api';
import { resourceId, type ServedResource } from '../runtime/discovery.js';
import { groupOf } from '../runtime/owners.js';

/** An object as the garbage collector sees it. */
export interface GraphNode {
  readonly uid: string;
  resource: ServedResource | undefined;
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
  owners: readonly OwnerReference[];
  readonly dependents: Set<GraphNode>;
  beingDeleted: boolean;
  /** Deleted in the foreground: it goes when those that block it have gone. */
  deletingDependents: boolean;
  orphaning: boolean;
  /** Known only because others name it as their owner; whether it exists is to be found out. */
  virtual: boolean;
}

/** What changed, as far as the collector has to act. */
export interface GraphChange {
  /** May have lost their owners, or be owners that nobody has seen. */
  readonly check: readonly GraphNode[];
  /** Being deleted with `orphan`: their dependents are to be let go. */
  readonly orphan: readonly GraphNode[];
}

/** Who owns whom, kept up to date from informer events. Pure. */
export class ObjectGraph {
  readonly #nodes = new Map<string, GraphNode>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** All objects of a resource, which is no longer served. */
  ofResource(id: string): GraphNode[] {
    return [...this.#nodes.values()].filter((n) => n.resource !== undefined && resourceId(n.resource) === id);
  }

  upsert(resource: ServedResource, object: KubeObject): GraphChange {
    const { uid = '', namespace = '', name = '', finalizers = [], deletionTimestamp } = object.metadata;
    const owners = (object.metadata.ownerReferences ?? []) as OwnerReference[];
    const check: GraphNode[] = [];
    const orphan: GraphNode[] = [];
    let node = this.#nodes.get(uid);
    const fresh = !node || node.virtual;
    if (!node) {
      node = this.#make(uid);
      this.#nodes.set(uid, node);
    }
    const wrongGuess = node.virtual && node.dependents.size > 0 && (node.namespace !== namespace || node.name !== name || node.kind !== resource.kind);
    const before = node.owners;
    const wasDeletingDependents = node.deletingDependents;
    const wasOrphaning = node.orphaning;
    Object.assign(node, { resource, apiVersion: groupVersion(resource), kind: resource.kind, namespace, name, owners, virtual: false });
    node.beingDeleted = Boolean(deletionTimestamp);
    node.deletingDependents = node.beingDeleted && finalizers.includes('foregroundDeletion');
    node.orphaning = node.beingDeleted && finalizers.includes('orphan');
    // Dependents that named it by other coordinates may be wrong about it.
    if (wrongGuess) check.push(...node.dependents);

    const gone = before.filter((o) => !owners.some((n) => n.uid === o.uid));
    for (const o of gone) this.#nodes.get(o.uid)?.dependents.delete(node);
    for (const o of owners) check.push(...this.#link(node, o));
    const unblocked = before.some((o) => o.blockOwnerDeletion && !owners.some((n) => n.uid === o.uid && n.blockOwnerDeletion));
    if (unblocked) for (const o of before) this.#waitingOwner(o.uid, check);
    if (gone.length > 0) check.push(node);
    if (node.orphaning && !wasOrphaning) orphan.push(node);
    if (node.deletingDependents && (!wasDeletingDependents || fresh)) check.push(node, ...node.dependents);
    // Being deleted makes a dependent one less to wait for only when it is gone; but its owner may have to hurry it.
    return { check, orphan };
  }

  remove(uid: string): GraphChange {
    const node = this.#nodes.get(uid);
    if (!node) return { check: [], orphan: [] };
    this.#nodes.delete(uid);
    const check: GraphNode[] = [];
    for (const o of node.owners) {
      const owner = this.#nodes.get(o.uid);
      owner?.dependents.delete(node);
      this.#waitingOwner(o.uid, check);
      // A guess that nobody shares any more.
      if (owner?.virtual && owner.dependents.size === 0) this.#nodes.delete(o.uid);
    }
    check.push(...node.dependents);
    // Those that still name it keep a place for it, to be verified once: it may be back under the same uid only in a bug.
    return { check, orphan: [] };
  }

  #waitingOwner(uid: string, check: GraphNode[]): void {
    const owner = this.#nodes.get(uid);
    if (owner?.deletingDependents) check.push(owner);
  }

  #link(node: GraphNode, o: OwnerReference): GraphNode[] {
    let owner = this.#nodes.get(o.uid);
    const check: GraphNode[] = [];
    if (!owner) {
      owner = this.#make(o.uid);
      Object.assign(owner, { apiVersion: o.apiVersion, kind: o.kind, name: o.name, namespace: node.namespace });
      this.#nodes.set(o.uid, owner);
      check.push(owner);
    } else if (!owner.virtual && !matches(owner, o, node)) check.push(node);
    const known = owner.dependents.has(node);
    owner.dependents.add(node);
    // It joined an owner that is already on its way out.
    if (!known && owner.deletingDependents) check.push(node);
    return check;
  }

  #make(uid: string): GraphNode {
    return {
      uid,
      resource: undefined,
      apiVersion: '',
      kind: '',
      namespace: '',
      name: '',
      owners: [],
      dependents: new Set(),
      beingDeleted: false,
      deletingDependents: false,
      orphaning: false,
      virtual: true,
    };
  }
}

/** Whether the reference, read in the dependent's namespace, means this object. */
export function matches(owner: GraphNode, o: OwnerReference, dependent: GraphNode): boolean {
  if (owner.kind !== o.kind || owner.name !== o.name || groupOf(owner.apiVersion) !== groupOf(o.apiVersion)) return false;
  return owner.namespace === '' || owner.namespace === dependent.namespace;
}

const groupVersion = (r: { readonly group: string; readonly version: string }): string => (r.group === '' ? r.version : `${r.group}/${r.version}`);

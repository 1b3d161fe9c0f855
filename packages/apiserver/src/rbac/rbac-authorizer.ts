import type { KubeObject } from '@coxswain/api';
import { labelSelectorFromObject } from '@coxswain/apimachinery';
import type { AuthorizationAttributes, AuthorizationResult, Authorizer, UserInfo } from '@coxswain/sdk';
import type { ResourceCache } from '../storage/resource-cache.js';
import type { CacheEvent } from '../storage/resource-cache.js';
import type { StoredObject } from '../storage/stored-object.js';
import { breakDown, ruleAllows } from './rules.js';
import type { PolicyRule } from './rules.js';

export interface RbacCaches {
  readonly roles: ResourceCache;
  readonly roleBindings: ResourceCache;
  readonly clusterRoles: ResourceCache;
  readonly clusterRoleBindings: ResourceCache;
}

interface RoleRef {
  readonly kind: string;
  readonly name: string;
}

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

const NO_OPINION: AuthorizationResult = { decision: 'no-opinion' };
const SERVICE_ACCOUNT = 'system:serviceaccount:';
const MAX_DECISIONS = 2000;

type Binding = KubeObject & { readonly roleRef: RoleRef };

/** Rules somebody has, and by what. */
interface Grant {
  readonly rules: readonly PolicyRule[];
  readonly binding: StoredObject;
  /** As in the index. */
  readonly subject: string;
}

/** subject → namespace ('' for cluster bindings) → bindings. */
type BindingIndex = Map<string, Map<string, Set<StoredObject>>>;

/**
 * RBAC over the watch caches. Bindings are indexed by subject and namespace and kept up to date by events; a decision is remembered
 * per user until any role or binding changes.
 */
export class RbacAuthorizer implements Authorizer {
  readonly name = 'RBAC';
  readonly #index: BindingIndex = new Map();
  readonly #undo: (() => void)[];
  #generation = 0;
  #decisions = new WeakMap<UserInfo, { readonly generation: number; readonly known: Map<string, AuthorizationResult> }>();
  #aggregated = new Map<string, { readonly generation: number; readonly rules: readonly PolicyRule[] }>();
  #indexed = false;

  constructor(readonly caches: RbacCaches) {
    const onBinding = (namespaced: boolean) => (event: CacheEvent) => {
      this.#generation++;
      if (!this.#indexed) return;
      if (event.previous) this.#each(event.previous, namespaced, (set) => set.delete(event.previous as StoredObject));
      if (event.type !== 'DELETED') this.#each(event.object, namespaced, (set) => set.add(event.object));
    };
    const onRole = () => {
      this.#generation++;
    };
    this.#undo = [
      caches.roles.onEvent(onRole),
      caches.clusterRoles.onEvent(onRole),
      caches.roleBindings.onEvent(onBinding(true)),
      caches.clusterRoleBindings.onEvent(onBinding(false)),
    ];
  }

  close(): void {
    for (const undo of this.#undo) undo();
  }

  authorize(attributes: AuthorizationAttributes): AuthorizationResult {
    const { user, verb, target } = attributes;
    let decided = this.#decisions.get(user);
    if (decided?.generation !== this.#generation || decided.known.size > MAX_DECISIONS) {
      decided = { generation: this.#generation, known: new Map() };
      this.#decisions.set(user, decided);
    }
    const key =
      target.type === 'path'
        ? `${verb} ${target.path}`
        : `${verb} ${target.group}/${target.resource}/${target.subresource ?? ''} ${target.namespace ?? ''} ${target.name ?? ''}`;
    const known = decided.known.get(key);
    if (known !== undefined) return known;
    const result = this.#decide(attributes);
    decided.known.set(key, result);
    return result;
  }

  #decide(attributes: AuthorizationAttributes): AuthorizationResult {
    const { user, target } = attributes;
    for (const { rules, binding, subject } of this.#grants(user, target.type === 'resource' ? (target.namespace ?? '') : '')) {
      if (rules.some((rule) => ruleAllows(rule, attributes))) return { decision: 'allow', reason: `RBAC: allowed by ${describe(binding, subject)}` };
    }
    return NO_OPINION;
  }

  /** All rules that hold for the user in the namespace ('' for the cluster scope only). */
  rulesFor(user: UserInfo, namespace: string): PolicyRule[] {
    return [...this.#grants(user, namespace)].flatMap(({ rules }) => rules);
  }

  /** Rules of `wanted` the user does not have: granting those would be an escalation. */
  missing(user: UserInfo, namespace: string, wanted: readonly PolicyRule[]): PolicyRule[] {
    const own = this.rulesFor(user, namespace);
    return wanted.filter((rule) => {
      for (const atom of breakDown(rule)) if (!own.some((mine) => ruleAllows(mine, atom))) return true;
      return false;
    });
  }

  /** The rules a role reference stands for; undefined when there is no such role. */
  rulesOf(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    if (ref.kind === 'Role') return rulesIn(this.caches.roles.get(namespace, ref.name)?.object);
    const stored = this.caches.clusterRoles.get('', ref.name);
    if (!stored) return undefined;
    const { aggregationRule } = stored.object as { aggregationRule?: { clusterRoleSelectors?: object[] } };
    if (!aggregationRule) return rulesIn(stored.object);
    const cached = this.#aggregated.get(ref.name);
    if (cached?.generation === this.#generation) return cached.rules;
    // The aggregation controller writes the union into the role; until it has, and besides, it is worked out here.
    const selectors = (aggregationRule.clusterRoleSelectors ?? []).map((selector) => labelSelectorFromObject(selector));
    const rules = [...(rulesIn(stored.object) ?? [])];
    for (const role of this.caches.clusterRoles.values()) {
      if (role !== stored && selectors.some((selector) => selector.matches(role.object.metadata.labels))) rules.push(...(rulesIn(role.object) ?? []));
    }
    this.#aggregated.set(ref.name, { generation: this.#generation, rules });
    return rules;
  }

  *#grants(user: UserInfo, namespace: string): IterableIterator<Grant> {
    this.#build();
    for (const subject of subjectsOf(user)) {
      const bindings = this.#index.get(subject);
      if (!bindings) continue;
      for (const scope of namespace === '' ? [''] : ['', namespace]) {
        for (const binding of bindings.get(scope) ?? []) {
          const rules = this.rulesOf((binding.object as Binding).roleRef, scope);
          if (rules) yield { rules, binding, subject };
        }
      }
    }
  }

  #build(): void {
    if (this.#indexed) return;
    this.#indexed = true;
    for (const binding of this.caches.clusterRoleBindings.values()) this.#each(binding, false, (set) => set.add(binding));
    for (const binding of this.caches.roleBindings.values()) this.#each(binding, true, (set) => set.add(binding));
  }

  #each(binding: StoredObject, namespaced: boolean, change: (set: Set<StoredObject>) => void): void {
    const scope = namespaced ? binding.namespace : '';
    for (const subject of (binding.object.subjects ?? []) as Subject[]) {
      const key = keyOfSubject(subject, scope);
      let scopes = this.#index.get(key);
      if (!scopes) this.#index.set(key, (scopes = new Map()));
      let set = scopes.get(scope);
      if (!set) scopes.set(scope, (set = new Set()));
      change(set);
      if (set.size === 0) scopes.delete(scope);
      if (scopes.size === 0) this.#index.delete(key);
    }
  }
}

/** As upstream says it: `RoleBinding "b/ns" of Role "r" to User "u"`. */
function describe({ object, namespace, name }: StoredObject, subject: string): string {
  const { roleRef } = object as Binding;
  const subjects = (object.subjects ?? []) as Subject[];
  const { kind, name: who, namespace: where } = subjects.find((one) => keyOfSubject(one, namespace) === subject) ?? { kind: 'User', name: '' };
  const whom = kind === 'ServiceAccount' ? `${who}/${where || namespace}` : who;
  const binding = namespace === '' ? `ClusterRoleBinding ${JSON.stringify(name)}` : `RoleBinding ${JSON.stringify(`${name}/${namespace}`)}`;
  return `${binding} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${kind} ${JSON.stringify(whom)}`;
}

function rulesIn(role: KubeObject | undefined): readonly PolicyRule[] | undefined {
  return role ? ((role.rules ?? []) as PolicyRule[]) : undefined;
}

function keyOfSubject({ kind, name, namespace }: Subject, scope: string): string {
  if (kind === 'ServiceAccount') return `User ${SERVICE_ACCOUNT}${namespace || scope}:${name}`;
  return `${kind} ${name}`;
}

function* subjectsOf(user: UserInfo): IterableIterator<string> {
  yield `User ${user.name}`;
  for (const group of user.groups) yield `Group ${group}`;
}

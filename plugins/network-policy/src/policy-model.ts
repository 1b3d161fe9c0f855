import type { Namespace, NetworkPolicy, Pod } from '@coxswain/api';
import { BASE_SETS, GUARD_SETS } from './base-table.js';
import { type CompiledDirection, type CompiledPolicy, compilePolicy, type Direction } from './compile-policy.js';
import { NftTable } from './nft-table.js';
import { podFacts } from './pod-facts.js';
import { elementsOf, type PodFacts, type PodSetSpec, selects, setDefinition, setName, shortHash } from './selection.js';

/** One object as it is now; without it: it is gone. */
export type PolicyEvent =
  | { readonly type: 'pod'; readonly key: string; readonly object?: Pod }
  | { readonly type: 'namespace'; readonly key: string; readonly object?: Namespace }
  | { readonly type: 'policy'; readonly key: string; readonly object?: NetworkPolicy };

const FAMILIES = [4, 6] as const;
const DIRECTIONS = ['ingress', 'egress'] as const;

/** A set that follows pods, with what each pod has put into it. */
interface FollowedSet {
  readonly spec: PodSetSpec;
  /** Directions of policies that look into it. */
  users: number;
  readonly pods: Map<string, Readonly<Record<4 | 6, readonly string[]>>>;
  /** How many pods claim an element: two may have one address for a moment. */
  readonly claims: Map<string, number>;
}

/**
 * What the tables should hold, from pods, namespaces and policies as they come. Pure: it is told and does nothing.
 *
 * Work is by what changed: a pod is looked at once for each different selector in use, and comes or goes as elements of sets; chains
 * are written when a policy changes.
 */
export class PolicyModel {
  readonly table: NftTable;
  /** Elements only; used where the guard is needed. */
  readonly guard: NftTable;
  private readonly pods = new Map<string, PodFacts>();
  private readonly podsOf = new Map<string, Set<string>>();
  private readonly namespaces = new Map<string, Readonly<Record<string, string>>>();
  private readonly policies = new Map<string, { readonly text: string; readonly compiled: CompiledPolicy }>();
  private readonly policiesOf = new Map<string, Set<string>>();
  private readonly followed = new Map<string, FollowedSet>();
  /** Chains of combinations of policies, and how many pods each judges. */
  private readonly judges = new Map<string, number>();
  /** Local pods that are isolated, with their judges. */
  private readonly isolated = new Map<string, Readonly<Partial<Record<Direction, string>>>>();
  private readonly owners: Readonly<Record<4 | 6, Map<string, Set<string>>>> = { 4: new Map(), 6: new Map() };

  constructor(
    table: string,
    private readonly nodeName: string,
  ) {
    this.table = new NftTable('inet', table, BASE_SETS);
    this.guard = new NftTable('bridge', table, GUARD_SETS);
  }

  /** Policies known, and pods of this node that they isolate. */
  get size(): { readonly policies: number; readonly isolated: number } {
    return { policies: this.policies.size, isolated: this.isolated.size };
  }

  take(event: PolicyEvent): void {
    if (event.type === 'pod') this.setPod(event.key, event.object);
    else if (event.type === 'namespace') this.setNamespace(event.key, event.object);
    else this.setPolicy(event.key, event.object);
  }

  private setPod(key: string, object: Pod | undefined): void {
    const before = this.pods.get(key);
    const now = object && podFacts(object, this.nodeName);
    if (JSON.stringify(before) === JSON.stringify(now)) return;
    if (before) this.isolate(before, undefined);
    if (now) {
      this.pods.set(key, now);
      member(this.podsOf, now.namespace).add(key);
    } else {
      this.pods.delete(key);
      if (before) this.podsOf.get(before.namespace)?.delete(key);
    }
    for (const set of this.followed.values()) this.follow(set, key, now);
    if (now) this.isolate(now, this.judge(now));
  }

  private setNamespace(name: string, object: Namespace | undefined): void {
    const before = this.namespaces.get(name);
    const now = object && (object.metadata.labels ?? {});
    if (JSON.stringify(before) === JSON.stringify(now)) return;
    if (now) this.namespaces.set(name, now);
    else this.namespaces.delete(name);
    for (const set of this.followed.values()) {
      if ('name' in set.spec.selection.namespaces) continue;
      for (const key of this.podsOf.get(name) ?? []) this.follow(set, key, this.pods.get(key));
    }
  }

  private setPolicy(key: string, object: NetworkPolicy | undefined): void {
    const before = this.policies.get(key);
    const text = object && JSON.stringify(object.spec ?? {});
    if (before?.text === text) return;
    const compiled = object && compilePolicy(object);
    for (const direction of DIRECTIONS) {
      const old = before?.compiled[direction];
      const next = compiled?.[direction];
      // The new ones first: sets that both use stay as they are.
      for (const spec of next?.sets ?? []) this.acquire(spec);
      if (next) this.table.setChain(next.chain, next.rules);
      else if (old) this.table.deleteChain(old.chain);
      for (const spec of old?.sets ?? []) this.release(spec);
    }
    const namespace = (compiled ?? before?.compiled)?.namespace ?? '';
    if (compiled && text !== undefined) {
      this.policies.set(key, { text, compiled });
      member(this.policiesOf, namespace).add(key);
    } else {
      this.policies.delete(key);
      this.policiesOf.get(namespace)?.delete(key);
    }
    for (const pod of this.podsOf.get(namespace) ?? []) {
      const facts = this.pods.get(pod);
      if (facts) this.isolate(facts, this.judge(facts));
    }
  }

  private acquire(spec: PodSetSpec): void {
    const known = this.followed.get(spec.id);
    if (known) {
      known.users++;
      return;
    }
    const set: FollowedSet = { spec, users: 1, pods: new Map(), claims: new Map() };
    this.followed.set(spec.id, set);
    for (const family of FAMILIES) this.table.addSet(setName(spec, family), setDefinition(spec, family));
    const { namespaces } = spec.selection;
    for (const key of 'name' in namespaces ? (this.podsOf.get(namespaces.name) ?? []) : this.pods.keys()) this.follow(set, key, this.pods.get(key));
  }

  private release(spec: PodSetSpec): void {
    const set = this.followed.get(spec.id);
    if (!set || --set.users > 0) return;
    this.followed.delete(spec.id);
    for (const family of FAMILIES) this.table.deleteSet(setName(spec, family));
  }

  /** Makes a set hold of one pod what it should. */
  private follow(set: FollowedSet, key: string, pod: PodFacts | undefined): void {
    const before = set.pods.get(key);
    const chosen = pod && selects(set.spec.selection, pod, this.namespaces.get(pod.namespace)) ? pod : undefined;
    if (!before && !chosen) return;
    const now = chosen && { 4: elementsOf(set.spec.content, chosen, 4), 6: elementsOf(set.spec.content, chosen, 6) };
    for (const family of FAMILIES) {
      const name = setName(set.spec, family);
      for (const element of now?.[family] ?? []) {
        const claims = set.claims.get(element) ?? 0;
        set.claims.set(element, claims + 1);
        if (claims === 0) this.table.setElement(name, element);
      }
      for (const element of before?.[family] ?? []) {
        const claims = (set.claims.get(element) ?? 1) - 1;
        if (claims > 0) set.claims.set(element, claims);
        else {
          set.claims.delete(element);
          this.table.deleteElement(name, element);
        }
      }
    }
    if (now) set.pods.set(key, now);
    else set.pods.delete(key);
  }

  /** The policies that isolate a pod of this node, by direction; undefined when none does. */
  private judge(pod: PodFacts): Partial<Record<Direction, readonly CompiledDirection[]>> | undefined {
    if (!pod.local) return undefined;
    const out: Partial<Record<Direction, CompiledDirection[]>> = {};
    for (const key of [...(this.policiesOf.get(pod.namespace) ?? [])].sort()) {
      const compiled = this.policies.get(key)?.compiled;
      if (!compiled?.pods.matches(pod.labels)) continue;
      for (const direction of DIRECTIONS) {
        const part = compiled[direction];
        if (part) out[direction] = [...(out[direction] ?? []), part];
      }
    }
    return out.ingress || out.egress ? out : undefined;
  }

  private isolate(pod: PodFacts, policies: ReturnType<PolicyModel['judge']>): void {
    const before = this.isolated.get(pod.key);
    const now: Partial<Record<Direction, string>> = {};
    for (const direction of DIRECTIONS) {
      const parts = policies?.[direction];
      if (!parts) continue;
      const chain = `${direction === 'ingress' ? 'judge-in' : 'judge-out'}-${shortHash(parts.map((p) => p.chain).join(' '))}`;
      const pods = this.judges.get(chain) ?? 0;
      this.judges.set(chain, pods + 1);
      if (pods === 0) this.table.setChain(chain, [...parts.map((p) => `jump ${p.chain}`), 'drop']);
      now[direction] = chain;
    }
    for (const chain of Object.values(before ?? {})) {
      const pods = (this.judges.get(chain) ?? 1) - 1;
      if (pods > 0) this.judges.set(chain, pods);
      else {
        this.judges.delete(chain);
        this.table.deleteChain(chain);
      }
    }
    if (policies) this.isolated.set(pod.key, now);
    else this.isolated.delete(pod.key);
    for (const family of FAMILIES) {
      for (const ip of pod.ips[family]) {
        if (policies) member(this.owners[family], ip).add(pod.key);
        else this.owners[family].get(ip)?.delete(pod.key);
        this.place(family, ip);
      }
    }
  }

  /** Writes an address's judges: those of the newest pod that claims it. */
  private place(family: 4 | 6, ip: string): void {
    const owners = this.owners[family].get(ip);
    const created = (key: string) => this.pods.get(key)?.created ?? '';
    const owner = [...(owners ?? [])].sort((a, b) => (created(a) < created(b) ? 1 : created(a) > created(b) ? -1 : a < b ? -1 : 1))[0];
    const chains = owner === undefined ? undefined : this.isolated.get(owner);
    if (owners?.size === 0) this.owners[family].delete(ip);
    for (const direction of DIRECTIONS) {
      const chain = chains?.[direction];
      if (chain) this.table.setElement(`${direction}${family}`, ip, `goto ${chain}`);
      else this.table.deleteElement(`${direction}${family}`, ip);
    }
    if (chains) {
      this.table.setElement(`self${family}`, `${ip} . ${ip}`);
      this.guard.setElement(`isolated${family}`, ip);
    } else {
      this.table.deleteElement(`self${family}`, `${ip} . ${ip}`);
      this.guard.deleteElement(`isolated${family}`, ip);
    }
  }
}

function member<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  let set = map.get(key);
  if (!set) map.set(key, (set = new Set()));
  return set;
}

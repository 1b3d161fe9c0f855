import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '@coxswain/api';
import { LabelSelector, labelSelectorFromObject } from '@coxswain/apimachinery';
import { blockElements, mergeRanges } from './address-ranges.js';
import { everyPod, type PodSelection, type PodSetSpec, podSet, setName, shortHash } from './selection.js';

export type Direction = 'ingress' | 'egress';

/** One direction of a policy as a chain: what it lets through is accepted, everything else comes back. */
export interface CompiledDirection {
  readonly chain: string;
  readonly rules: readonly string[];
  /** Sets that the rules look into. */
  readonly sets: readonly PodSetSpec[];
}

export interface CompiledPolicy {
  readonly namespace: string;
  /** Pods that the policy isolates. */
  readonly pods: LabelSelector;
  /** Absent: the policy says nothing about this direction. */
  readonly ingress?: CompiledDirection;
  readonly egress?: CompiledDirection;
}

const FAMILIES = [4, 6] as const;
const ip = (family: 4 | 6) => (family === 4 ? 'ip' : 'ip6');
const PORT = 'meta l4proto . th dport';

/** A name to read a chain by, made unique and short enough by a hash. */
function chainName(prefix: string, key: string): string {
  return `${prefix}-${shortHash(key)}-${key.replace(/[^a-zA-Z0-9./_-]/g, '_').slice(0, 80)}`;
}

/** A missing selector of an API object selects nothing; where the API says that missing means all, the caller gives an empty one. */
const selector = (object: unknown) => labelSelectorFromObject(object as Parameters<typeof labelSelectorFromObject>[0]);

function selectionOf(peer: NetworkPolicyPeer, namespace: string): PodSelection {
  return {
    namespaces: peer.namespaceSelector ? { selector: selector(peer.namespaceSelector) } : { name: namespace },
    pods: peer.podSelector ? selector(peer.podSelector) : LabelSelector.everything,
  };
}

interface Ports {
  /** As nftables writes them, merged; empty when there are only named ones. */
  readonly numbers: readonly string[];
  readonly named: readonly { readonly name: string; readonly protocol: string }[];
}

/** Undefined: all ports of all protocols. */
function portsOf(ports: readonly NetworkPolicyPort[] | undefined): Ports | undefined {
  if (!ports || ports.length === 0) return undefined;
  const byProtocol = new Map<string, { first: number; last: number }[]>();
  const named: { name: string; protocol: string }[] = [];
  for (const { protocol = 'TCP', port, endPort } of ports) {
    if (typeof port === 'string') {
      if (!named.some((n) => n.name === port && n.protocol === protocol)) named.push({ name: port, protocol });
      continue;
    }
    const range = port === undefined || port === null ? { first: 0, last: 65535 } : { first: Number(port), last: endPort ?? Number(port) };
    byProtocol.set(protocol, [...(byProtocol.get(protocol) ?? []), range]);
  }
  const numbers = [...byProtocol]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([protocol, ranges]) =>
      mergeRanges(ranges, (n) => n + 1).map(({ first, last }) => `${protocol.toLowerCase()} . ${first === last ? first : `${first}-${last}`}`),
    );
  return { numbers, named };
}

/** Compiles one rule of one direction; adds the sets it needs to `sets`. */
function compileRule(
  direction: Direction,
  policy: { readonly namespace: string; readonly pods: LabelSelector },
  peers: readonly NetworkPolicyPeer[] | undefined,
  ports: Ports | undefined,
  sets: Map<string, PodSetSpec>,
): string[] {
  const use = (spec: PodSetSpec): PodSetSpec => {
    sets.set(spec.id, spec);
    return spec;
  };
  const numbers = ports && ports.numbers.length > 0 ? `${PORT} { ${ports.numbers.join(', ')} } accept` : undefined;
  const side = direction === 'ingress' ? 'saddr' : 'daddr';
  /** A port's name means what the pod that is called makes of it. */
  const namedPorts = (family: 4 | 6, called: PodSelection) =>
    (ports?.named ?? []).map(
      ({ name, protocol }) => `${ip(family)} daddr . ${PORT} @${setName(use(podSet(called, { kind: 'port', name, protocol })), family)} accept`,
    );
  const mine: PodSelection = { namespaces: { name: policy.namespace }, pods: policy.pods };

  if (!peers || peers.length === 0) {
    if (!ports) return ['accept'];
    return [...(numbers ? [numbers] : []), ...FAMILIES.flatMap((family) => namedPorts(family, direction === 'ingress' ? mine : everyPod))];
  }
  const blocks = peers.flatMap((peer) => (peer.ipBlock ? [{ cidr: peer.ipBlock.cidr, except: peer.ipBlock.except ?? [] }] : []));
  const selections = peers.filter((peer) => !peer.ipBlock).map((peer) => selectionOf(peer, policy.namespace));
  return FAMILIES.flatMap((family) => {
    const out: string[] = [];
    for (const selection of selections) {
      if (!ports || numbers || direction === 'ingress') {
        const from = `${ip(family)} ${side} @${setName(use(podSet(selection, { kind: 'addresses' })), family)}`;
        if (!ports) out.push(`${from} accept`);
        if (numbers) out.push(`${from} ${numbers}`);
        if (direction === 'ingress') out.push(...namedPorts(family, mine).map((rule) => `${from} ${rule}`));
      }
      // The set of a named port holds the addresses of the pods already.
      if (direction === 'egress') out.push(...namedPorts(family, selection));
    }
    const addresses = blockElements(blocks, family);
    if (addresses.length > 0) {
      const from = `${ip(family)} ${side} { ${addresses.join(', ')} }`;
      if (!ports) out.push(`${from} accept`);
      if (numbers) out.push(`${from} ${numbers}`);
      out.push(...namedPorts(family, direction === 'ingress' ? mine : everyPod).map((rule) => `${from} ${rule}`));
    }
    return out;
  });
}

/** A NetworkPolicy as chains and the sets they look into. Pure; equal policies compile to equal text. */
export function compilePolicy(policy: NetworkPolicy): CompiledPolicy {
  const { spec = {}, metadata } = policy;
  const namespace = metadata.namespace ?? '';
  // The API server fills types in; for objects from elsewhere the API's rule: always Ingress, and Egress where there are rules for it.
  const types = spec.policyTypes ?? ['Ingress', ...(spec.egress ? ['Egress'] : [])];
  // A missing podSelector is an empty one: the field is required, and selects every pod when empty.
  const pods = selector(spec.podSelector ?? {});
  const key = `${namespace}/${metadata.name}`;
  const compile = (direction: Direction): CompiledDirection => {
    const sets = new Map<string, PodSetSpec>();
    const rules =
      direction === 'ingress'
        ? (spec.ingress ?? []).map((rule) => ({ peers: rule.from, ports: rule.ports }))
        : (spec.egress ?? []).map((rule) => ({ peers: rule.to, ports: rule.ports }));
    const text = rules.flatMap(({ peers, ports }) => compileRule(direction, { namespace, pods }, peers, portsOf(ports), sets));
    return { chain: chainName(direction === 'ingress' ? 'in' : 'out', key), rules: [...new Set(text)], sets: [...sets.values()] };
  };
  return {
    namespace,
    pods,
    ...(types.includes('Ingress') ? { ingress: compile('ingress') } : {}),
    ...(types.includes('Egress') ? { egress: compile('egress') } : {}),
  };
}

import type { Node, Pod } from '@coxswain/api';
import type { Candidate } from '../preemption/victims.js';

// Field names are upstream's (k8s.io/kube-scheduler/extender/v1), which have no JSON names of their own: they are written as in Go and read
// without regard to case, as Go does.

export function nodesArgs(pod: Pod, nodes: readonly Node[], namesOnly: boolean): object {
  return {
    Pod: pod,
    Nodes: namesOnly ? null : { kind: 'NodeList', apiVersion: 'v1', metadata: {}, items: nodes },
    NodeNames: namesOnly ? nodes.map((n) => n.metadata.name) : null,
  };
}

export function preemptionArgs(pod: Pod, candidates: readonly Candidate[], identifiersOnly: boolean): object {
  const victims = Object.fromEntries(
    candidates.map((c) => [
      c.node,
      { Pods: identifiersOnly ? c.victims.map((v) => ({ UID: v.metadata.uid })) : c.victims, NumPDBViolations: c.budgetViolations },
    ]),
  );
  return { Pod: pod, NodeNameToVictims: identifiersOnly ? null : victims, NodeNameToMetaVictims: identifiersOnly ? victims : null };
}

export const bindingArgs = (pod: Pod, node: string): object => ({
  PodName: pod.metadata.name,
  PodNamespace: pod.metadata.namespace,
  PodUID: pod.metadata.uid,
  Node: node,
});

/** Throws unless it is an object. */
export function fieldsOf(value: unknown, what: string): (name: string) => unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is not an object: ${excerpt(value)}`);
  const fields = new Map(Object.entries(value).map(([key, member]) => [key.toLowerCase(), member]));
  return (name) => fields.get(name.toLowerCase()) ?? undefined;
}

export function textOf(value: unknown, what: string): string {
  if (value === undefined) return '';
  if (typeof value !== 'string') throw new Error(`${what} is not a string: ${excerpt(value)}`);
  return value;
}

export function integerOf(value: unknown, what: string): number {
  if (value === undefined) return 0;
  if (!Number.isSafeInteger(value)) throw new Error(`${what} is not an integer: ${excerpt(value)}`);
  return value as number;
}

export function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error(`${what} is not a list: ${excerpt(value)}`);
  return value;
}

/** Node names with a message each. */
export function messagesOf(value: unknown, what: string): Record<string, string> {
  if (value === undefined) return {};
  fieldsOf(value, what);
  return Object.fromEntries(Object.entries(value as object).map(([name, message]) => [name, textOf(message, `${what}[${name}]`)]));
}

function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

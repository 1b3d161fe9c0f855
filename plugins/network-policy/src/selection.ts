import { createHash } from 'node:crypto';
import { LabelSelector } from '@coxswain/apimachinery';

/** Pods of one namespace, or of all that a selector finds. */
export interface PodSelection {
  readonly namespaces: { readonly name: string } | { readonly selector: LabelSelector };
  readonly pods: LabelSelector;
}

/** What policies need to know of a pod. Absent for pods they do not concern: those on the host's network, ended, or without address. */
export interface PodFacts {
  readonly key: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ips: Readonly<Record<4 | 6, readonly string[]>>;
  readonly namedPorts: readonly NamedPort[];
  /** Runs on this node. */
  readonly local: boolean;
  /** The newer of two pods has an address that both claim. */
  readonly created: string;
}

export interface NamedPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

/** Elements of a set that follows pods: their addresses, or where they serve a named port. */
export type SetContent = { readonly kind: 'addresses' } | { readonly kind: 'port'; readonly name: string; readonly protocol: string };

/** A set of the table that follows the pods of a selection. Equal ones are one, whoever asks for them. */
export interface PodSetSpec {
  readonly id: string;
  readonly selection: PodSelection;
  readonly content: SetContent;
}

export const everyPod: PodSelection = { namespaces: { selector: LabelSelector.everything }, pods: LabelSelector.everything };

export function podSet(selection: PodSelection, content: SetContent): PodSetSpec {
  const text = (selector: LabelSelector) => (selector.matchesNothing ? '<nothing>' : `{${selector}}`);
  const where = 'name' in selection.namespaces ? selection.namespaces.name : text(selection.namespaces.selector);
  const what = content.kind === 'addresses' ? '' : `|${content.protocol}/${content.name}`;
  return { id: `${where}|${text(selection.pods)}${what}`, selection, content };
}

export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** The set's name in one family. */
export function setName(spec: PodSetSpec, family: 4 | 6): string {
  return `${spec.content.kind === 'addresses' ? 'pods' : 'ports'}${family}-${shortHash(spec.id)}`;
}

export function setDefinition(spec: PodSetSpec, family: 4 | 6): string {
  return `type ipv${family}_addr${spec.content.kind === 'addresses' ? '' : ' . inet_proto . inet_service'};`;
}

export function selects(selection: PodSelection, pod: PodFacts, namespaceLabels: Readonly<Record<string, string>> | undefined): boolean {
  const { namespaces } = selection;
  // A namespace that is not known yet has no labels: nothing may be let through on a guess.
  const there = 'name' in namespaces ? namespaces.name === pod.namespace : namespaceLabels !== undefined && namespaces.selector.matches(namespaceLabels);
  return there && selection.pods.matches(pod.labels);
}

/** What a pod puts into a set. */
export function elementsOf(content: SetContent, pod: PodFacts, family: 4 | 6): string[] {
  if (content.kind === 'addresses') return [...pod.ips[family]];
  const ports = pod.namedPorts.filter((p) => p.name === content.name && p.protocol === content.protocol);
  return pod.ips[family].flatMap((ip) => ports.map((p) => `${ip} . ${p.protocol.toLowerCase()} . ${p.port}`));
}

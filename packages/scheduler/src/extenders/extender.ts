import type { Node, Pod } from '@coxswain/api';
import type { Candidate } from '../preemption/victims.js';

export interface ExtenderFilterResult {
  /** Names of the nodes that are left, each one of those asked about. */
  readonly nodes: readonly string[];
  readonly failed: Readonly<Record<string, string>>;
  /** Nodes that preemption would not help either. */
  readonly failedForGood: Readonly<Record<string, string>>;
}

/** A process beside the scheduler that has a say in its decisions. Every method rejects when there is no usable answer. */
export interface Extender {
  /** Its URL. */
  readonly name: string;
  readonly ignorable: boolean;
  readonly binds: boolean;
  readonly preempts: boolean;
  interestedIn(pod: Pod): boolean;
  filter(pod: Pod, nodes: readonly Node[], signal: AbortSignal): Promise<ExtenderFilterResult>;
  /** By node, weighted, on the scale of scheduler plugins (0 to 100 times weight). */
  prioritize(pod: Pod, nodes: readonly Node[], signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
  /** The candidates that are left, with the victims it chose. */
  preempt(pod: Pod, candidates: readonly Candidate[], podsOn: (node: string) => readonly Pod[] | undefined, signal: AbortSignal): Promise<Candidate[]>;
  bind(pod: Pod, node: string, signal: AbortSignal): Promise<void>;
}

/** Under this name the extenders together stand among the plugins that refused a pod: any change may make them think otherwise. */
export const EXTENDERS = 'Extender';

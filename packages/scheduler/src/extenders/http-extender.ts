import type { Node, Pod } from '@coxswain/api';
import type { Candidate } from '../preemption/victims.js';
import type { Extender, ExtenderFilterResult } from './extender.js';
import type { ExtenderConfig } from './extender-config.js';
import { JsonPoster } from './http-post.js';
import { bindingArgs, fieldsOf, integerOf, listOf, messagesOf, nodesArgs, preemptionArgs, textOf } from './wire.js';

/** Extenders score from 0 to 10, plugins from 0 to 100. */
const SCORE_SCALE = 10;

/** An extender behind HTTP or HTTPS, as the configuration names it. */
export class HttpExtender implements Extender {
  readonly name: string;
  readonly ignorable: boolean;
  readonly binds: boolean;
  readonly preempts: boolean;
  readonly #poster: JsonPoster;
  readonly #managed: ReadonlySet<string>;

  constructor(private readonly config: ExtenderConfig) {
    this.name = config.urlPrefix;
    this.ignorable = config.ignorable;
    this.binds = config.bindVerb !== undefined;
    this.preempts = config.preemptVerb !== undefined;
    this.#poster = new JsonPoster(config);
    this.#managed = new Set(config.managedResources.map((r) => r.name));
  }

  interestedIn({ spec }: Pod): boolean {
    if (this.#managed.size === 0) return true;
    for (const { resources } of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])])
      for (const of of [resources?.requests, resources?.limits]) for (const name in of) if (this.#managed.has(name)) return true;
    return false;
  }

  async filter(pod: Pod, nodes: readonly Node[], signal: AbortSignal): Promise<ExtenderFilterResult> {
    const { filterVerb, nodeCacheCapable } = this.config;
    const asked = new Set(nodes.map((n) => n.metadata.name ?? ''));
    if (filterVerb === undefined) return { nodes: [...asked], failed: {}, failedForGood: {} };
    const answer = fieldsOf(await this.#poster.post(filterVerb, nodesArgs(pod, nodes, nodeCacheCapable), signal), 'the answer');
    const error = textOf(answer('Error'), 'Error');
    if (error !== '') throw new Error(error);
    const names = answer('NodeNames');
    const left =
      nodeCacheCapable && names !== undefined
        ? listOf(names, 'NodeNames').map((name, i) => textOf(name, `NodeNames[${i}]`))
        : listOf(answer('Nodes') === undefined ? undefined : fieldsOf(answer('Nodes'), 'Nodes')('items'), 'Nodes.items').map(nameOf);
    for (const name of left)
      if (!asked.has(name))
        throw new Error(`extender ${JSON.stringify(this.name)} claims a filtered node ${JSON.stringify(name)} which is not found in the input node list`);
    return {
      nodes: left,
      failed: messagesOf(answer('FailedNodes'), 'FailedNodes'),
      failedForGood: messagesOf(answer('FailedAndUnresolvableNodes'), 'FailedAndUnresolvableNodes'),
    };
  }

  async prioritize(pod: Pod, nodes: readonly Node[], signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const { prioritizeVerb, nodeCacheCapable, weight } = this.config;
    const scores = new Map<string, number>();
    if (prioritizeVerb === undefined) return scores;
    const answer = await this.#poster.post(prioritizeVerb, nodesArgs(pod, nodes, nodeCacheCapable), signal);
    for (const [i, entry] of listOf(answer, 'the answer').entries()) {
      const priority = fieldsOf(entry, `[${i}]`);
      const host = textOf(priority('Host'), `[${i}].Host`);
      scores.set(host, (scores.get(host) ?? 0) + integerOf(priority('Score'), `[${i}].Score`) * weight * SCORE_SCALE);
    }
    return scores;
  }

  async preempt(pod: Pod, candidates: readonly Candidate[], podsOn: (node: string) => readonly Pod[] | undefined, signal: AbortSignal): Promise<Candidate[]> {
    const { preemptVerb = '', nodeCacheCapable } = this.config;
    const answer = fieldsOf(await this.#poster.post(preemptVerb, preemptionArgs(pod, candidates, nodeCacheCapable), signal), 'the answer');
    const chosen = answer('NodeNameToMetaVictims');
    if (chosen === undefined) return [];
    fieldsOf(chosen, 'NodeNameToMetaVictims');
    return Object.entries(chosen as object).map(([node, of]) => {
      const pods = podsOn(node);
      if (!pods) throw new Error(`extender: ${this.name} names the node ${JSON.stringify(node)}, which does not exist`);
      const victims = fieldsOf(of, `NodeNameToMetaVictims[${node}]`);
      return {
        node,
        victims: listOf(victims('Pods'), `NodeNameToMetaVictims[${node}].Pods`).map((meta) => {
          const uid = textOf(fieldsOf(meta, 'a pod')('UID'), 'UID');
          const victim = pods.find((p) => p.metadata.uid === uid);
          if (victim) return victim;
          throw new Error(`extender: ${this.name} claims to preempt pod (UID: ${uid}) on node: ${node}, but the pod is not found on that node`);
        }),
        budgetViolations: integerOf(victims('NumPDBViolations'), 'NumPDBViolations'),
      };
    });
  }

  async bind(pod: Pod, node: string, signal: AbortSignal): Promise<void> {
    const answer = fieldsOf(await this.#poster.post(this.config.bindVerb ?? '', bindingArgs(pod, node), signal), 'the answer');
    const error = textOf(answer('Error'), 'Error');
    if (error !== '') throw new Error(error);
  }

  close(): void {
    this.#poster.close();
  }
}

function nameOf(node: unknown, i: number): string {
  const { metadata } = (node ?? {}) as Partial<Node>;
  if (typeof metadata?.name !== 'string') throw new Error(`Nodes.items[${i}] has no metadata.name`);
  return metadata.name;
}

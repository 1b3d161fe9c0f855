import type { Pod } from '@coxswain/api';
import { success, type NodeInfo, type SchedulingStatus } from '@coxswain/sdk';
import type { Profile } from './profile.js';

/**
 * Pods that differ in nothing that the signing plugins of a profile look at, and what these said of each node. A picture of a node never
 * changes, so that what was said holds for as long as the same picture is at the same place of the list. Columns, and pictures compared
 * without looking into them: a cycle visits hundreds.
 */
export class PodClass {
  readonly #judged: (NodeInfo | undefined)[] = [];
  readonly #statuses: (SchedulingStatus | undefined)[] = [];
  readonly #plugins: string[] = [];
  readonly #scores: number[] = [];

  /** `success` itself when all let the pod pass; undefined when nobody was asked yet. */
  status(at: number, info: NodeInfo): SchedulingStatus | undefined {
    return this.#judged[at] === info ? this.#statuses[at] : undefined;
  }

  /** Whose status it is. */
  plugin(at: number): string {
    return this.#plugins[at] as string;
  }

  /** The signing plugins' weighted scores together; NaN when nobody was asked yet. */
  score(at: number, info: NodeInfo): number {
    return this.#judged[at] === info ? (this.#scores[at] as number) : Number.NaN;
  }

  judge(at: number, info: NodeInfo, status: SchedulingStatus, plugin: string): void {
    // No holes: the columns stay packed.
    while (this.#judged.length <= at) {
      this.#judged.push(undefined);
      this.#statuses.push(undefined);
      this.#plugins.push('');
      this.#scores.push(Number.NaN);
    }
    this.#judged[at] = info;
    this.#statuses[at] = status.code === 'success' ? success : status;
    this.#plugins[at] = plugin;
    this.#scores[at] = Number.NaN;
  }

  /** Of a node that was judged. */
  rate(at: number, score: number): void {
    this.#scores[at] = score;
  }
}

/** Workloads that are scheduled at the same time are few, and each keeps as many verdicts as there are nodes. */
const MAX_CLASSES = 8;

/** The classes of the pods seen lately. */
export class PodClasses {
  readonly #known = new Map<string, PodClass>();

  /** Undefined when the profile has no signing plugins, or one of them has no signature for this pod. */
  of(profile: Profile, pod: Pod, skipped: ReadonlySet<string>): PodClass | undefined {
    if (profile.signing.length === 0) return undefined;
    let key = profile.schedulerName;
    for (const plugin of profile.signing) {
      const signature = skipped.has(plugin.name) ? '' : plugin.sign(pod);
      if (signature === undefined) return undefined;
      // With its length, so that no two lists of signatures read the same.
      key += `\n${signature.length} ${signature}`;
    }
    let known = this.#known.get(key);
    if (known) return known;
    if (this.#known.size >= MAX_CLASSES) this.#known.delete(this.#known.keys().next().value as string);
    this.#known.set(key, (known = new PodClass()));
    return known;
  }
}

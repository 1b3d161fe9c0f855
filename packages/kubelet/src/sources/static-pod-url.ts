import type { Pod } from '@coxswain/api';
import type { Clock, Logger } from '@coxswain/sdk';
import { parse } from 'yaml';
import { staticPodMaker } from './static-pod.js';

export interface StaticPodUrlOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly nodeName: string;
  readonly checkMs: number;
}

const TIMEOUT_MS = 10_000;

/** Pods from a URL that answers with a Pod or a PodList, JSON or YAML. `changed` is told the whole set at first and whenever it changes. */
export class StaticPodUrl {
  readonly #make;

  constructor(
    private readonly options: StaticPodUrlOptions,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    this.#make = staticPodMaker(options.nodeName, 'http', clock);
  }

  async run(changed: (pods: Pod[]) => void, signal: AbortSignal): Promise<void> {
    const { url, checkMs } = this.options;
    for (let last: string | undefined; !signal.aborted; await this.clock.sleep(checkMs, signal).catch(() => {})) {
      try {
        const pods = await this.read(signal);
        const key = pods.map((p) => p.metadata?.uid).join();
        if (key !== last) changed(pods);
        last = key;
      } catch (error) {
        // What ran goes on running: a server that is away takes no pods away.
        if (!signal.aborted) this.logger.warn('reading static pods from a URL failed; will try again', { url, err: error });
      }
    }
  }

  /** One look. */
  async read(signal: AbortSignal): Promise<Pod[]> {
    const { url, headers } = this.options;
    const all = Object.entries(headers).flatMap(([name, values]) => values.map((value) => [name, value] as [string, string]));
    const answer = await fetch(url, { headers: all, signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
    const body = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    if (body === '') throw new Error('zero-length data received');
    const found = parse(body) as { kind?: string; items?: readonly Pod[] };
    const manifests = found?.kind === 'PodList' ? (found.items ?? []) : [found as Pod];
    return manifests.map((manifest) => this.#make({ ...manifest, kind: manifest?.kind ?? 'Pod' } as Pod, url));
  }
}

import type { Pod } from '@coxswain/api';
import type { Clock, Logger } from '@coxswain/sdk';
import type { KubeletOptions } from '../options.js';
import { StaticPodUrl } from './static-pod-url.js';
import { StaticPodSource } from './static-pods.js';

/**
 * Runs the sources of static pods that are configured. `changed` is told all their pods together; `complete`: every source has spoken, so a pod
 * that none of them has is no longer wanted.
 */
export function runStaticSources(
  options: KubeletOptions,
  clock: Clock,
  logger: Logger,
  changed: (pods: Pod[], complete: boolean) => void,
  signal: AbortSignal,
): Promise<void>[] {
  const { staticPodPath, staticPodURL, staticPodURLHeader: headers, nodeName } = options;
  const sources = [
    ...(staticPodPath ? [new StaticPodSource({ folder: staticPodPath, nodeName, checkMs: options.fileCheckFrequencyMs }, clock, logger)] : []),
    ...(staticPodURL ? [new StaticPodUrl({ url: staticPodURL, headers, nodeName, checkMs: options.httpCheckFrequencyMs }, clock, logger)] : []),
  ];
  if (sources.length === 0) changed([], true);
  const said: (Pod[] | undefined)[] = sources.map(() => undefined);
  return sources.map((source, i) =>
    source.run((pods) => {
      said[i] = pods;
      changed(
        said.flatMap((each) => each ?? []),
        !said.includes(undefined),
      );
    }, signal),
  );
}

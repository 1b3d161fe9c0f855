import type { Random } from '@coxswain/sdk';

/** What upstream has without `--min-request-timeout`. */
const MIN_WATCH_SECONDS = 1800;

/**
 * How long a watch stays: as long as its client asks for, else `least` seconds, or up to twice as many, lest all come back at once.
 * Whole ones: Node keeps a list for every length of a timer that there ever was, and a random number is a length of its own.
 */
export function watchSeconds(asked: number | undefined, random: Random, least = MIN_WATCH_SECONDS): number {
  return asked && asked > 0 ? asked : Math.floor(least * (1 + random.next()));
}

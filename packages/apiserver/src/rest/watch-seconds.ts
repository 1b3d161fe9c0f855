import type { Random } from '@coxswain/sdk';

/** What upstream has without `--min-request-timeout`. */
export const MIN_WATCH_SECONDS = 1800;

/**
 * How long a watch stays whose client names no time: so many seconds, or up to twice as many, lest all come back at once.
 * Whole ones: Node keeps a list for every length of a timer that there ever was, and a random number is a length of its own.
 */
export function watchSeconds(least: number, random: Random): number {
  return Math.floor(least * (1 + random.next()));
}

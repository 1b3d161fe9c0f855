import { readFile } from 'node:fs/promises';
import type { Clock } from '@coxswain/sdk';

/** Gives the bearer token for a request. */
export type TokenSource = () => string | Promise<string>;

export const staticToken =
  (token: string): TokenSource =>
  () =>
    token;

/** A token that is renewed on disk (projected service-account tokens): read again after a minute, as upstream does. */
export function fileToken(path: string, clock: Clock, maxAgeMs = 60_000): TokenSource {
  let cached = '';
  let readAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (clock.monotonic() - readAt < maxAgeMs) return cached;
    try {
      cached = (await readFile(path, 'utf8')).trim();
      readAt = clock.monotonic();
    } catch (error) {
      if (cached === '') throw error;
    }
    return cached;
  };
}

import { OciError } from './error.js';

/**
 * Mirrors from text, `docker.io=https://mirror.example` each; several of one domain are tried in the given order, and `*` stands for every
 * domain that has none of its own. Rejects what is not of that form with what it should be.
 */
export function parseMirrors(list: readonly string[]): Record<string, string[]> {
  const out: Record<string, string[]> = {};
  for (const entry of list) {
    const at = entry.indexOf('=');
    const [domain, url] = [entry.slice(0, at), entry.slice(at + 1)];
    if (at < 1 || !/^https?:\/\/[^/]+/.test(url))
      throw new OciError(
        'invalid',
        `registry mirror ${JSON.stringify(entry)} is not of the form domain=https://host, such as docker.io=https://mirror.example`,
      );
    (out[domain] ??= []).push(url);
  }
  return out;
}

import { type Digest, isDigest } from './digest.js';
import { OciError } from './error.js';

/** A normalised image reference. At least one of `tag` and `digest` is set. */
export interface ImageReference {
  /** Registry host, with port; Docker Hub is `docker.io`. */
  readonly domain: string;
  /** Repository path; Docker Hub's official images have `library/` in front. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

// Grammar: github.com/distribution/reference, as the OCI distribution specification restates it.
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const DOMAIN =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;

/** Parse and normalise: `busybox` is `docker.io/library/busybox:latest`. Throws `OciError('invalid-reference')`. */
export function parseReference(text: string): ImageReference {
  const fail = (why: string) => new OciError('invalid-reference', `invalid image reference ${JSON.stringify(text)}: ${why}`);
  if (text === '') throw fail('it is empty');
  let rest = text;
  let digest: Digest | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    const d = rest.slice(at + 1);
    if (!isDigest(d)) throw fail('the digest is malformed');
    digest = d;
    rest = rest.slice(0, at);
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    if (!TAG.test(tag)) throw fail('the tag is malformed');
    rest = rest.slice(0, colon);
  }
  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  const hasDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  let domain = hasDomain ? first : 'docker.io';
  let path = hasDomain ? rest.slice(slash + 1) : rest;
  if (domain === 'index.docker.io') domain = 'docker.io';
  if (domain === 'docker.io' && !path.includes('/')) path = `library/${path}`;
  if (!DOMAIN.test(domain)) throw fail('the registry host is malformed');
  if (path !== path.toLowerCase()) throw fail('the repository name must be lower case');
  if (!path.split('/').every((c) => COMPONENT.test(c))) throw fail('the repository name is malformed');
  if (`${domain}/${path}`.length > 255 + domain.length) throw fail('the repository name is longer than 255 characters');
  if (!hasDomain && /^[a-f0-9]{64}$/.test(rest)) throw fail('a bare digest is not a name');
  return { domain, path, ...(tag !== undefined ? { tag } : digest ? {} : { tag: 'latest' }), ...(digest ? { digest } : {}) };
}

/** `docker.io/library/busybox`. */
export const repositoryOf = (ref: ImageReference) => `${ref.domain}/${ref.path}`;

/** The canonical text: `docker.io/library/busybox:latest`, `…@sha256:…` or both. */
export function formatReference(ref: ImageReference): string {
  return `${repositoryOf(ref)}${ref.tag === undefined ? '' : `:${ref.tag}`}${ref.digest === undefined ? '' : `@${ref.digest}`}`;
}

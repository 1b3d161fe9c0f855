export interface ImageReference {
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** Docker's short names in full, as every runtime reads them. */
export function parseReference(reference: string): ImageReference {
  const [named = '', digest] = reference.split('@');
  const first = named.split('/')[0] ?? '';
  const remote = named.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  const full = remote ? named : `docker.io/${named.includes('/') ? '' : 'library/'}${named}`;
  const colon = full.lastIndexOf(':');
  const tagged = colon > full.lastIndexOf('/');
  const repository = tagged ? full.slice(0, colon) : full;
  if (digest !== undefined) return { repository, digest };
  return { repository, tag: tagged ? full.slice(colon + 1) : 'latest' };
}

const PATH = /^[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[a-z0-9]+:[0-9a-f]{32,}$/;

/** Why no image can have this name; undefined: one can. Pure. */
export function nameProblem(reference: string): string | undefined {
  const { repository, tag, digest } = parseReference(reference);
  if (!PATH.test(repository.slice(repository.indexOf('/') + 1))) return 'the repository name is malformed';
  if (tag !== undefined && !TAG.test(tag)) return 'the tag is malformed';
  return digest !== undefined && !DIGEST.test(digest) ? 'the digest is malformed' : undefined;
}

/** The ways one may write this image's name: as given, in full, and as short as it goes. */
export function imageNames(reference: string): readonly string[] {
  const { repository, tag, digest } = parseReference(reference);
  const full = digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;
  return [...new Set([reference, full, full.replace(/^docker\.io\/(library\/)?/, '')])];
}

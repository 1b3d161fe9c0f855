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

/** The ways one may write this image's name: as given, in full, and as short as it goes. */
export function imageNames(reference: string): readonly string[] {
  const { repository, tag, digest } = parseReference(reference);
  const full = digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;
  return [...new Set([reference, full, full.replace(/^docker\.io\/(library\/)?/, '')])];
}

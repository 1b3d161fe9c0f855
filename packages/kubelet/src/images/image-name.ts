const REFERENCE =
  /^(?:((?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?)\/)?([a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)(?::([\w][\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$/;

export interface ImageName {
  /** As asked for, with `:latest` where neither tag nor digest was given. */
  readonly name: string;
  /** Registry host, `docker.io` when none is named. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** Reads an image reference (the distribution project's grammar). Undefined: malformed. */
export function parseImageName(image: string): ImageName | undefined {
  const match = REFERENCE.exec(image);
  if (!match || image.length > 512) return undefined;
  const [, domain, path = '', tag, digest] = match;
  const isHost = domain !== undefined && (domain.includes('.') || domain.includes(':') || domain === 'localhost');
  if (domain !== undefined && !isHost && domain !== domain.toLowerCase()) return undefined;
  return {
    name: tag || digest ? image : `${image}:latest`,
    registry: isHost ? domain : 'docker.io',
    repository: isHost || domain === undefined ? path : `${domain}/${path}`,
    ...(tag ? { tag } : {}),
    ...(digest ? { digest } : {}),
  };
}

/** The pull policy the API server would have defaulted. */
export function pullPolicy(policy: string | undefined, image: ImageName): 'Always' | 'IfNotPresent' | 'Never' {
  if (policy === 'Always' || policy === 'IfNotPresent' || policy === 'Never') return policy;
  return !image.digest && (image.tag ?? 'latest') === 'latest' ? 'Always' : 'IfNotPresent';
}

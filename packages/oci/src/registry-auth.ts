/** Credentials of one registry, in the forms CRI's AuthConfig has. */
export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  /** base64 of `user:password`. */
  readonly auth?: string;
  /** An OAuth2 refresh token. */
  readonly identityToken?: string;
  /** Sent as a bearer token as it is. */
  readonly registryToken?: string;
}

export function userAndPassword(auth: RegistryAuth | undefined): { user: string; password: string } | undefined {
  if (!auth) return undefined;
  if (auth.username) return { user: auth.username, password: auth.password ?? '' };
  if (!auth.auth) return undefined;
  const decoded = Buffer.from(auth.auth, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') };
}

export interface Challenge {
  readonly scheme: 'basic' | 'bearer';
  readonly parameters: Readonly<Record<string, string>>;
}

/** The first challenge of a WWW-Authenticate header that we can answer (RFC 7235). */
export function parseChallenge(header: string | null): Challenge | undefined {
  if (!header) return undefined;
  const match = /\b(bearer|basic)\b\s*/i.exec(header);
  if (!match) return undefined;
  const parameters: Record<string, string> = {};
  for (const [, key, quoted, bare] of header.slice(match.index + match[0].length).matchAll(/([a-zA-Z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)) {
    parameters[(key as string).toLowerCase()] = (quoted ?? bare ?? '').replace(/\\(.)/g, '$1');
  }
  return { scheme: (match[1] as string).toLowerCase() as Challenge['scheme'], parameters };
}

import { createHash } from 'node:crypto';
import type { AuthenticationResult, Authenticator, UserInfo } from '@coxswain/sdk';
import { bearerToken } from './bearer-token.js';

const MAX_ACCEPTED = 1000;
const NONE: AuthenticationResult = { type: 'none' };

/** Parse upstream's token file: `token,user,uid,"group1,group2"` on each line. Throws with the line's number. */
export function parseTokenFile(text: string): Map<string, UserInfo> {
  const users = new Map<string, UserInfo>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^([^,]+),([^,]+),([^,]*)(?:,(?:"([^"]*)"|([^,]*)))?\s*$/.exec(line);
    if (!match) throw new Error(`line ${i + 1} of the token file is not token,user,uid,"group1,group2"`);
    const [, token = '', name = '', uid = '', quoted, plain] = match;
    const groups = (quoted ?? plain ?? '')
      .split(',')
      .map((group) => group.trim())
      .filter((group) => group !== '');
    users.set(digest(token.trim()), { name: name.trim(), ...(uid === '' ? {} : { uid: uid.trim() }), groups });
  }
  return users;
}

/** Static tokens. Looked up by digest: the time taken tells nothing about the token. */
export function tokenFileAuthenticator(users: ReadonlyMap<string, UserInfo>): Authenticator {
  const results = new Map([...users].map(([key, user]) => [key, { type: 'user', user } satisfies AuthenticationResult]));
  // Headers that were accepted before: the digest is worked out once per token, not once per request.
  const accepted = new Map<string, AuthenticationResult>();
  return {
    name: 'token-file',
    authenticate(request) {
      const { authorization } = request.headers;
      const known = typeof authorization === 'string' ? accepted.get(authorization) : undefined;
      if (known) return known;
      const token = bearerToken(request.headers);
      const result = token === undefined ? undefined : results.get(digest(token));
      if (result && typeof authorization === 'string' && accepted.size < MAX_ACCEPTED) accepted.set(authorization, result);
      return result ?? NONE;
    },
  };
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

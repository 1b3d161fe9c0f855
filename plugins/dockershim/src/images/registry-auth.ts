import type { AuthConfig } from '@coxswain/cri';

/** The X-Registry-Auth header; empty: none. */
export function registryAuth(auth: AuthConfig | undefined, serverAddress: string): string {
  if (!auth) return '';
  const [user, ...rest] = auth.auth ? Buffer.from(auth.auth, 'base64').toString('utf8').split(':') : [];
  const value = {
    username: auth.username || (user ?? ''),
    password: auth.password || rest.join(':').replace(/\0+$/, ''),
    identitytoken: auth.identityToken,
    registrytoken: auth.registryToken,
    serveraddress: auth.serverAddress || serverAddress,
  };
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

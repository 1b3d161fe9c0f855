import type { AuthenticationRequest } from '@coxswain/sdk';

const PROTOCOL = 'base64url.bearer.authorization.k8s.io.';

/** The token of a request: from `Authorization`, or from the WebSocket subprotocol browsers have to use. */
export function bearerToken(headers: AuthenticationRequest['headers']): string | undefined {
  const { authorization } = headers;
  if (typeof authorization === 'string') {
    const match = /^bearer +(\S+)$/i.exec(authorization);
    return match?.[1];
  }
  const protocols = headers['sec-websocket-protocol'];
  if (typeof protocols !== 'string') return undefined;
  for (const protocol of protocols.split(',')) {
    const name = protocol.trim();
    if (name.startsWith(PROTOCOL)) return Buffer.from(name.slice(PROTOCOL.length), 'base64url').toString();
  }
  return undefined;
}

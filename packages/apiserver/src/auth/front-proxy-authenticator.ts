import { X509Certificate } from 'node:crypto';
import type { AuthenticationResult, Authenticator, Clock } from '@coxswain/sdk';
import { certificatesIn, isIssuedBy } from '@coxswain/client';

export interface FrontProxyOptions {
  /** PEM bundle that signs the proxy's client certificate. */
  readonly ca: string;
  /** Common names allowed; empty: any. */
  readonly allowedNames: readonly string[];
  readonly userHeaders: readonly string[];
  readonly uidHeaders?: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraPrefixes: readonly string[];
}

const NONE: AuthenticationResult = { type: 'none' };

/** Users an authenticating proxy vouches for in headers, when it shows its own certificate. */
export function frontProxyAuthenticator(options: FrontProxyOptions, clock: Clock): Authenticator {
  const authorities = certificatesIn(options.ca);
  const vouched = new WeakMap<object, boolean>();
  const first = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);
  const all = (value: string | string[] | undefined) => (value === undefined ? [] : (Array.isArray(value) ? value : value.split(', ')).filter((v) => v !== ''));
  return {
    name: 'front-proxy',
    authenticate({ headers, peerCertificate }) {
      const name = options.userHeaders.map((header) => first(headers[header.toLowerCase()])).find((value) => value);
      if (!name || !peerCertificate) return NONE;
      let trusted = vouched.get(peerCertificate);
      if (trusted === undefined) {
        trusted = isIssuedBy(new X509Certificate(peerCertificate.raw), authorities);
        trusted &&= options.allowedNames.length === 0 || options.allowedNames.includes(peerCertificate.subject.CN ?? '');
        vouched.set(peerCertificate, trusted);
      }
      if (!trusted || peerCertificate.notAfter < clock.now()) return NONE;
      const uid = options.uidHeaders?.map((header) => first(headers[header.toLowerCase()])).find((value) => value);
      const groups = options.groupHeaders.flatMap((header) => all(headers[header.toLowerCase()]));
      const extra: Record<string, string[]> = {};
      for (const prefix of options.extraPrefixes) {
        for (const header in headers) if (header.startsWith(prefix.toLowerCase())) extra[decodeKey(header.slice(prefix.length))] = all(headers[header]);
      }
      return { type: 'user', user: { name, groups, ...(uid ? { uid } : {}), ...(Object.keys(extra).length > 0 ? { extra } : {}) } };
    },
  };
}

/** A key that is no valid escape is meant as it stands. */
function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import { X509Certificate } from 'node:crypto';
import { certificatesIn, isIssuedBy } from '@coxswain/client';
import type { AuthenticationResult, Authenticator, Clock, UserInfo } from '@coxswain/sdk';

const NONE: AuthenticationResult = { type: 'none' };

/** Both CAs verify connections; only one of them makes users of those who show a certificate. */
export interface CertificateAuthorities {
  /** PEM. */
  readonly clientCA: string | undefined;
  readonly frontProxyCA: string | undefined;
}

/**
 * The verified client certificate of the connection: CN is the user, O the groups. A certificate the front proxies' CA has issued
 * says which proxy it is, not which user.
 */
export function certificateAuthenticator(clock: Clock, authorities?: CertificateAuthorities): Authenticator {
  const known = new WeakMap<object, AuthenticationResult>();
  const proxies = certificatesIn(authorities?.frontProxyCA);
  const clients = proxies.length > 0 ? certificatesIn(authorities?.clientCA) : [];
  const isProxy = (raw: Uint8Array): boolean => {
    if (proxies.length === 0) return false;
    const certificate = new X509Certificate(raw);
    return isIssuedBy(certificate, proxies) && !isIssuedBy(certificate, clients);
  };
  return {
    name: 'x509',
    authenticate(request) {
      const certificate = request.peerCertificate;
      if (!certificate?.subject.CN) return NONE;
      if (certificate.notAfter < clock.now()) return { type: 'failed', message: 'the client certificate has expired' };
      let result = known.get(certificate);
      if (!result) {
        const { CN, O, UID } = certificate.subject;
        const user: UserInfo = { name: CN, groups: O ?? [], ...(UID === undefined ? {} : { uid: UID }) };
        known.set(certificate, (result = isProxy(certificate.raw) ? NONE : { type: 'user', user }));
      }
      return result;
    },
  };
}

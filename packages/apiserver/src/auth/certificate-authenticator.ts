import type { AuthenticationResult, Authenticator, Clock, UserInfo } from '@coxswain/sdk';

const NONE: AuthenticationResult = { type: 'none' };

/** The verified client certificate of the connection: CN is the user, O the groups. */
export function certificateAuthenticator(clock: Clock): Authenticator {
  const known = new WeakMap<object, AuthenticationResult & { readonly type: 'user' }>();
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
        known.set(certificate, (result = { type: 'user', user }));
      }
      return result;
    },
  };
}

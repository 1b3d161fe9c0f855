import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** What authenticators see of a verified client certificate. */
export interface PeerCertificateInfo {
  readonly subject: { readonly CN?: string; readonly O?: readonly string[]; readonly UID?: string };
  readonly raw: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

const UID_OID = '1.3.6.1.4.1.57683.2';

/** The verified certificate of a connection; undefined when there is none. Costly: ask once per connection. */
export function peerCertificateOf(socket: TLSSocket): PeerCertificateInfo | undefined {
  if (!socket.authorized) return undefined;
  const certificate = socket.getPeerCertificate(false) as DetailedPeerCertificate | undefined;
  if (!certificate?.raw) return undefined;
  const subject = certificate.subject as Record<string, string | string[] | undefined>;
  const one = (value: string | string[] | undefined) => (Array.isArray(value) ? value.at(-1) : value);
  const CN = one(subject.CN);
  const UID = one(subject[UID_OID]);
  const organizations = subject.O === undefined ? undefined : Array.isArray(subject.O) ? subject.O : [subject.O];
  return {
    subject: { ...(CN === undefined ? {} : { CN }), ...(organizations ? { O: organizations } : {}), ...(UID === undefined ? {} : { UID }) },
    raw: certificate.raw,
    notAfter: Date.parse(certificate.valid_to),
  };
}

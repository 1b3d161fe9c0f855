import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions, SecureVersion } from 'node:tls';

/** PEM. */
export interface ServingCertificates {
  readonly cert: string;
  readonly key: string;
  /** Bundle that signs client certificates; absent: none are asked for. */
  readonly clientCA?: string;
  /** For clients that ask for a host by these names; none: the names the certificate is for. */
  readonly sni?: readonly { readonly names: readonly string[]; readonly cert: string; readonly key: string }[];
}

/** What TLS is spoken. */
export interface TlsLimits {
  /** Default TLSv1.2. */
  readonly minVersion?: SecureVersion;
  /** OpenSSL's list. Default: Node's. */
  readonly ciphers?: string;
}

export function secureContextOptions(
  { cert, key, clientCA }: Pick<ServingCertificates, 'cert' | 'key' | 'clientCA'>,
  { minVersion = 'TLSv1.2', ciphers }: TlsLimits = {},
): SecureContextOptions {
  // OpenSSL refuses what is older than TLS 1.2 at its default level of security.
  const old = minVersion === 'TLSv1' || minVersion === 'TLSv1.1' ? 'DEFAULT@SECLEVEL=0' : undefined;
  const list = ciphers ?? old;
  return { cert, key, minVersion, ...(clientCA ? { ca: clientCA } : {}), ...(list ? { ciphers: list } : {}) };
}

/** Certificates by the host name a client asks for: a name itself before a pattern, a name that was given before one out of a certificate. */
export class SniContexts {
  readonly #given = new Map<string, SecureContext>();
  readonly #extracted = new Map<string, SecureContext>();

  /** Throws when a certificate and its key do not belong together. */
  constructor({ sni = [], clientCA }: ServingCertificates, limits?: TlsLimits) {
    for (const { names, cert, key } of sni) {
      const context = createSecureContext(secureContextOptions({ cert, key, ...(clientCA ? { clientCA } : {}) }, limits));
      const [map, all] = names.length > 0 ? [this.#given, names] : [this.#extracted, namesOf(cert)];
      for (const name of all) if (!map.has(name.toLowerCase())) map.set(name.toLowerCase(), context);
    }
  }

  /** Undefined: the server's own certificate. */
  find(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase();
    const pattern = name.replace(/^[^.]+/, '*');
    return this.#given.get(name) ?? this.#extracted.get(name) ?? this.#given.get(pattern) ?? this.#extracted.get(pattern);
  }
}

function namesOf(pem: string): string[] {
  const { subject, subjectAltName = '' } = new X509Certificate(pem);
  const names = [...subjectAltName.matchAll(/DNS:([^,\s]+)/g)].map(([, name = '']) => name);
  const commonName = /^CN=(.+)$/m.exec(subject)?.[1];
  return names.length > 0 ? names : commonName ? [commonName] : [];
}

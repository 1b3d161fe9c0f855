import type { SecureVersion } from 'node:tls';
import { cipherList } from '@coxswain/pki';
import type { FlagReader, FlagTable } from './flag-reader.js';

export interface SniCertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Host names, perhaps `*.example.org`; none: those the certificate is for. */
  readonly names: readonly string[];
}

/** The server's certificates and what TLS it speaks. */
export interface TlsConfig {
  /** Undefined: a certificate of our own making in `certDir`. */
  readonly tlsFiles: { readonly cert: string; readonly key: string } | undefined;
  readonly certDir: string;
  readonly sniCertificates: readonly SniCertificateFiles[];
  readonly tlsMinVersion: SecureVersion;
  /** OpenSSL's names; undefined: Node's choice. */
  readonly tlsCiphers: string | undefined;
}

const VERSIONS: Readonly<Record<string, SecureVersion>> = { VersionTLS10: 'TLSv1', VersionTLS11: 'TLSv1.1', VersionTLS12: 'TLSv1.2', VersionTLS13: 'TLSv1.3' };

export const tlsFlags: FlagTable = {
  'cert-dir': 'Folder a self-signed certificate is made and kept in when --tls-cert-file is not given (default /var/run/kubernetes)',
  'tls-cert-file': 'Serving certificate, followed by its CA',
  'tls-cipher-suites': "Cipher suites of TLS 1.2 by their IANA names (default: Node's); those of TLS 1.3 are always there",
  'tls-min-version': 'VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13 (default VersionTLS12)',
  'tls-private-key-file': 'Key of the serving certificate',
  'tls-sni-cert-key': 'Certificate and key for other host names: cert,key or cert,key:name,*.name; may be repeated',
};

export function parseTlsFlags(reader: FlagReader): TlsConfig {
  const [cert, key] = [reader.text('tls-cert-file'), reader.text('tls-private-key-file')];
  if (cert && !key) reader.problem('tls-private-key-file', 'is required with --tls-cert-file');
  if (key && !cert) reader.problem('tls-cert-file', 'is required with --tls-private-key-file');
  const version = reader.text('tls-min-version') ?? 'VersionTLS12';
  if (!VERSIONS[version]) reader.problem('tls-min-version', `${JSON.stringify(version)} is not one of ${Object.keys(VERSIONS).join(', ')}`);
  return {
    tlsFiles: cert && key ? { cert, key } : undefined,
    certDir: reader.text('cert-dir') ?? '/var/run/kubernetes',
    sniCertificates: (reader.text('tls-sni-cert-key') ?? '').split('\n').flatMap((text) => sniOf(reader, text)),
    tlsMinVersion: VERSIONS[version] ?? 'TLSv1.2',
    tlsCiphers: cipherList(reader.list('tls-cipher-suites'), (name) =>
      reader.problem('tls-cipher-suites', `Cipher suite ${name} not supported or doesn't exist`),
    ),
  };
}

function sniOf(reader: FlagReader, text: string): SniCertificateFiles[] {
  if (text === '') return [];
  const colon = text.lastIndexOf(':');
  const [files, names] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  const [certFile = '', keyFile = '', ...more] = files.split(',').map((path) => path.trim());
  if (certFile === '' || keyFile === '' || more.length > 0) {
    reader.problem('tls-sni-cert-key', `${JSON.stringify(text)} is not cert,key or cert,key:name,name`);
    return [];
  }
  return [{ certFile, keyFile, names: names.split(',').filter((name) => name !== '') }];
}

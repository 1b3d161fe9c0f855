import type { SecureVersion } from 'node:tls';
import { cipherList } from '@coxswain/pki';
import { fail, oneOf, type Take, texts } from './takes.js';

const VERSIONS = { VersionTLS10: 'TLSv1', VersionTLS11: 'TLSv1.1', VersionTLS12: 'TLSv1.2', VersionTLS13: 'TLSv1.3' } as const;

/** `VersionTLS12`, as Node writes it. */
export const tlsVersion: Take<SecureVersion> = (v) => VERSIONS[oneOf(...(Object.keys(VERSIONS) as (keyof typeof VERSIONS)[]))(v)];

/** A list of suites by IANA's names for Node's `ciphers`; undefined: none was named. */
export const cipherSuites: Take<string | undefined> = (v) =>
  cipherList(texts(v), (name) => fail(`of the cipher suites OpenSSL offers, by their IANA names; ${name} is not`));

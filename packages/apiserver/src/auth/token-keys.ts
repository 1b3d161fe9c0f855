import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { keyId } from '@coxswain/pki';

export interface SigningKey {
  readonly id: string;
  readonly algorithm: 'RS256' | 'ES256';
  readonly key: KeyObject;
}

/** A PEM key, private or public, with upstream's key id. Throws for kinds that cannot sign tokens. */
export function signingKey(privatePem: string): SigningKey {
  const key = createPrivateKey(privatePem);
  return { id: keyId(publicPem(key)), algorithm: algorithmOf(key), key };
}

export function verifyingKey(pem: string): SigningKey {
  const key = createPublicKey(pem);
  return { id: keyId(publicPem(key)), algorithm: algorithmOf(key), key };
}

export const publicPem = (key: KeyObject): string => (key.type === 'public' ? key : createPublicKey(key)).export({ type: 'spki', format: 'pem' }) as string;

function algorithmOf(key: KeyObject): SigningKey['algorithm'] {
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256';
  throw new Error('service account tokens are signed with RSA or P-256 keys');
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export function signToken(claims: object, { id, algorithm, key }: SigningKey): string {
  const content = `${encode({ alg: algorithm, kid: id })}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(content), algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key);
  return `${content}.${signature.toString('base64url')}`;
}

/** The claims without checking anything; undefined when it is not a JWT. */
export function readClaims(
  token: string,
): { readonly header: { readonly alg?: string; readonly kid?: string }; readonly claims: Record<string, unknown> } | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const header = JSON.parse(Buffer.from(parts[0] as string, 'base64url').toString()) as { alg?: string; kid?: string };
    const claims = JSON.parse(Buffer.from(parts[1] as string, 'base64url').toString()) as Record<string, unknown>;
    return typeof claims === 'object' && claims !== null ? { header, claims } : undefined;
  } catch {
    return undefined;
  }
}

export function signatureIsValid(token: string, alg: string | undefined, { algorithm, key }: SigningKey): boolean {
  if (alg !== algorithm) return false;
  const dot = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(dot + 1), 'base64url');
  return verify('sha256', Buffer.from(token.slice(0, dot)), algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key, signature);
}

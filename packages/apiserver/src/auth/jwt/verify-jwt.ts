import { constants, verify } from 'node:crypto';
import type { VerifyKeyObjectInput } from 'node:crypto';
import type { PublicKey } from './json-web-keys.js';

const EC_CURVES: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' };

/** Whether one of the keys has signed the token with the algorithm it names. A key is used for its own kind of algorithm only. */
export function isSignedByOne(token: string, algorithm: string, keys: readonly PublicKey[]): boolean {
  const dot = token.lastIndexOf('.');
  const content = Buffer.from(token.slice(0, dot));
  const signature = Buffer.from(token.slice(dot + 1), 'base64url');
  return keys.some((candidate) => {
    if (candidate.algorithm !== undefined && candidate.algorithm !== algorithm) return false;
    const input = inputFor(candidate, algorithm);
    return input !== undefined && verify(`sha${algorithm.slice(2)}`, content, input, signature);
  });
}

function inputFor({ key }: PublicKey, algorithm: string): VerifyKeyObjectInput | undefined {
  switch (algorithm.slice(0, 2)) {
    case 'RS':
      return key.asymmetricKeyType === 'rsa' ? { key, padding: constants.RSA_PKCS1_PADDING } : undefined;
    case 'PS':
      return key.asymmetricKeyType === 'rsa' ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : undefined;
    case 'ES':
      return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === EC_CURVES[algorithm] ? { key, dsaEncoding: 'ieee-p1363' } : undefined;
    default:
      return undefined;
  }
}

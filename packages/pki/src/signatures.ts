import { type KeyObject, sign, verify } from 'node:crypto';
import { bitString, der, type DerValue, oid, sequence, Tag } from './der.js';

interface Algorithm {
  /** AlgorithmIdentifier in DER. */
  readonly id: Buffer;
  /** Undefined: the key brings its own. */
  readonly hash: string | undefined;
}

const NULL = der(Tag.null);
const ecdsa = (n: number, hash: string): Algorithm => ({ id: sequence(oid(`1.2.840.10045.4.3.${n}`)), hash });
const rsa = (n: number, hash: string): Algorithm => ({ id: sequence(oid(`1.2.840.113549.1.1.${n}`), NULL), hash });
const ED25519: Algorithm = { id: sequence(oid('1.3.101.112')), hash: undefined };
const ECDSA = [ecdsa(2, 'sha256'), ecdsa(3, 'sha384'), ecdsa(4, 'sha512')] as const;
const RSA = [rsa(11, 'sha256'), rsa(12, 'sha384'), rsa(13, 'sha512')] as const;

/** How this key signs: as Go chooses. Throws a `TypeError` for a kind of key that cannot. */
export function algorithmOf(key: KeyObject): Algorithm {
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const curve = key.asymmetricKeyDetails?.namedCurve;
      return curve === 'secp521r1' ? ECDSA[2] : curve === 'secp384r1' ? ECDSA[1] : ECDSA[0];
    }
    case 'rsa':
      return RSA[0];
    case 'ed25519':
      return ED25519;
    default:
      throw new TypeError(`a key of type ${key.asymmetricKeyType} does not sign certificates; take EC, RSA or Ed25519`);
  }
}

/** What is to be signed, how, and the signature: the frame of certificates and of requests for them. */
export function signed(body: Buffer, key: KeyObject): Buffer {
  const { id, hash } = algorithmOf(key);
  return sequence(body, id, bitString(sign(hash, body, key)));
}

/** Throws a `RangeError` for an algorithm that is not known. */
export function verifies(body: Buffer, algorithm: DerValue, signature: Buffer, key: KeyObject): boolean {
  const known = [...ECDSA, ...RSA, ED25519].find(({ id }) => id.equals(algorithm.whole));
  if (!known) throw new RangeError('the algorithm of the signature is not supported; sign with ECDSA, RSA or Ed25519 and SHA-256, SHA-384 or SHA-512');
  return verify(known.hash, body, key, signature);
}

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A certificate and its private key, both PEM. */
export interface KeyPairPem {
  readonly cert: string;
  readonly key: string;
}

/** A new EC P-256 private key. */
export function newEcKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** Throws with a readable message when the text is not a PEM private key. */
export function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new Error(`not a PEM private key: ${(error as Error).message}`, { cause: error });
  }
}

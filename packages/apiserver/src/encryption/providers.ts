import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** One way to keep a value; which one wrote a value can be told from how it begins. */
export interface Provider {
  reads(stored: Uint8Array): boolean;
  /** `key` is the place in the store: a value moved elsewhere does not decrypt. */
  encrypt(plain: Uint8Array, key: string): Uint8Array;
  decrypt(stored: Uint8Array, key: string): Uint8Array;
}

const ENCRYPTED = Buffer.from('k8s:enc:');
const startsWith = (bytes: Uint8Array, prefix: Buffer) => bytes.length >= prefix.length && prefix.equals(bytes.subarray(0, prefix.length));

export const identityProvider: Provider = {
  reads: (stored) => !startsWith(stored, ENCRYPTED),
  encrypt: (plain) => plain,
  decrypt: (stored) => stored,
};

const TAG_BYTES = 16;

/** In upstream's form: `k8s:enc:<kind>:v1:<name>:`, then the nonce and what is encrypted. */
export function cipherProvider(kind: 'aesgcm' | 'aescbc', name: string, secret: Buffer): Provider {
  const prefix = Buffer.from(`k8s:enc:${kind}:v1:${name}:`);
  const bits = secret.length * 8;
  const nonceBytes = kind === 'aesgcm' ? 12 : 16;
  const split = (stored: Uint8Array) => {
    const nonce = stored.subarray(prefix.length, prefix.length + nonceBytes);
    return { nonce, body: stored.subarray(prefix.length + nonceBytes) };
  };
  return {
    reads: (stored) => startsWith(stored, prefix),
    encrypt(plain, key) {
      const nonce = randomBytes(nonceBytes);
      if (kind === 'aescbc') {
        const cipher = createCipheriv(`aes-${bits}-cbc`, secret, nonce);
        return Buffer.concat([prefix, nonce, cipher.update(plain), cipher.final()]);
      }
      const cipher = createCipheriv(`aes-${bits}-gcm` as 'aes-256-gcm', secret, nonce).setAAD(Buffer.from(key));
      return Buffer.concat([prefix, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    decrypt(stored, key) {
      const { nonce, body } = split(stored);
      if (kind === 'aescbc') {
        const cipher = createDecipheriv(`aes-${bits}-cbc`, secret, nonce);
        return Buffer.concat([cipher.update(body), cipher.final()]);
      }
      const cipher = createDecipheriv(`aes-${bits}-gcm` as 'aes-256-gcm', secret, nonce).setAAD(Buffer.from(key));
      cipher.setAuthTag(body.subarray(body.length - TAG_BYTES));
      return Buffer.concat([cipher.update(body.subarray(0, body.length - TAG_BYTES)), cipher.final()]);
    },
  };
}

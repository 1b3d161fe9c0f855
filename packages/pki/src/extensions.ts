import { createHash, type KeyObject } from 'node:crypto';
import { bitString, contextTag, der, type DerValue, membersOf, oid, readDer, sequence, Tag } from './der.js';

export const SUBJECT_ALTERNATIVE_NAME = oid('2.5.29.17');
const SUBJECT_KEY_ID = oid('2.5.29.14');
const KEY_USAGE = oid('2.5.29.15');
const BASIC_CONSTRAINTS = oid('2.5.29.19');
const AUTHORITY_KEY_ID = oid('2.5.29.35');
const EXTENDED_KEY_USAGE = oid('2.5.29.37');
const TRUE = der(Tag.boolean, Uint8Array.of(0xff));

/** Bits as RFC 5280 §4.2.1.3 numbers them, from the left. */
const USAGE_BIT = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 } as const;
const PURPOSE = { server: oid('1.3.6.1.5.5.7.3.1'), client: oid('1.3.6.1.5.5.7.3.2') } as const;

export function extension(id: Buffer, value: Buffer, critical = false): Buffer {
  return sequence(id, ...(critical ? [TRUE] : []), der(Tag.octetString, value));
}

export const basicConstraints = (ca: boolean): Buffer => extension(BASIC_CONSTRAINTS, ca ? sequence(TRUE) : sequence(), true);

export function keyUsage(...usages: readonly (keyof typeof USAGE_BIT)[]): Buffer {
  const bits = usages.map((usage) => USAGE_BIT[usage]);
  const byte = bits.reduce((all: number, bit) => all | (0x80 >> bit), 0);
  return extension(KEY_USAGE, bitString(Uint8Array.of(byte), 7 - Math.max(...bits)), true);
}

export const extendedKeyUsage = (...purposes: readonly (keyof typeof PURPOSE)[]): Buffer =>
  extension(EXTENDED_KEY_USAGE, sequence(...purposes.map((purpose) => PURPOSE[purpose])));

export const subjectKeyId = (id: Buffer): Buffer => extension(SUBJECT_KEY_ID, der(Tag.octetString, id));
export const authorityKeyId = (id: Buffer): Buffer => extension(AUTHORITY_KEY_ID, sequence(der(contextTag(0), id)));

/** SHA-1 of the key's bits: RFC 5280 §4.2.1.2 (1). */
export function keyIdOf(publicKey: KeyObject): Buffer {
  const [spki] = readDer(publicKey.export({ type: 'spki', format: 'der' }));
  const bits = membersOf(spki)[1] as DerValue;
  return createHash('sha1').update(bits.content.subarray(1)).digest();
}

/** The value of one of the extensions (a SEQUENCE of them), when it is there. */
export function findExtension(extensions: DerValue | undefined, id: Buffer): DerValue | undefined {
  for (const each of extensions ? membersOf(extensions) : []) {
    const parts = membersOf(each);
    if (parts[0]?.whole.equals(id)) return readDer((parts.at(-1) as DerValue).content)[0];
  }
  return undefined;
}

/** The key identifier that a certificate gives itself: those it signs must name the same. */
export const findSubjectKeyId = (extensions: DerValue | undefined): Buffer | undefined => findExtension(extensions, SUBJECT_KEY_ID)?.content;

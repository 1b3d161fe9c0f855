import { createPublicKey, type KeyObject } from 'node:crypto';
import { type CertificateRequest, signPublicKey } from './certificate.js';
import { contextTag, der, type DerValue, fromPem, membersOf, oid, readDer, sequence, Tag, toPem } from './der.js';
import { extension, findExtension, SUBJECT_ALTERNATIVE_NAME } from './extensions.js';
import { type AlternativeNames, distinguishedName, generalNames, readDistinguishedName, readGeneralNames, type Subject } from './names.js';
import { type KeyPairPem, newEcKey, privateKeyPem, readPrivateKey } from './pem.js';
import { signed, verifies } from './signatures.js';

export interface SigningRequest extends AlternativeNames {
  readonly subject: Subject;
}

const LABEL = 'CERTIFICATE REQUEST';
const VERSION_1 = der(Tag.integer, Uint8Array.of(0));
const ATTRIBUTES = contextTag(0, true);
const EXTENSION_REQUEST = oid('1.2.840.113549.1.9.14');

/** A PKCS#10 request, as kubelets make them, for a new key or for the one that is given (PEM). */
export async function createSigningRequest(
  subject: Subject,
  names: { readonly dnsNames?: readonly string[]; readonly ipAddresses?: readonly string[] } = {},
  ownKey?: string,
): Promise<{ readonly request: string; readonly key: string }> {
  const key = ownKey === undefined ? newEcKey() : readPrivateKey(ownKey);
  const named = (names.dnsNames?.length ?? 0) + (names.ipAddresses?.length ?? 0) > 0;
  const extensions = sequence(extension(SUBJECT_ALTERNATIVE_NAME, generalNames(names)));
  const body = sequence(
    VERSION_1,
    distinguishedName(subject),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der(ATTRIBUTES, ...(named ? [sequence(EXTENSION_REQUEST, der(Tag.set, extensions))] : [])),
  );
  return { request: toPem(LABEL, signed(body, key)), key: privateKeyPem(key) };
}

/** What a request asks for. Throws when it is not a request or its signature is wrong. */
export function readSigningRequest(pem: string): SigningRequest & { readonly publicKey: KeyObject } {
  let request: ReturnType<typeof read>;
  try {
    request = read(pem);
  } catch (error) {
    throw new Error(`not a PEM encoded PKCS#10 certificate request: ${(error as Error).message}`, { cause: error });
  }
  const { body, algorithm, signature, ...asked } = request;
  if (!verifies(body, algorithm, signature, asked.publicKey)) throw new Error('the signature of the certificate request is wrong');
  return asked;
}

/** The same, as a promise that rejects. */
export const parseSigningRequest = async (pem: string): Promise<ReturnType<typeof readSigningRequest>> => readSigningRequest(pem);

/** Sign a request as it stands: subject and names are taken from it. Who may have what is the caller's decision. */
export async function signRequest(ca: KeyPairPem, pem: string, options: Pick<CertificateRequest, 'usage' | 'now' | 'validForMs'>): Promise<string> {
  const { publicKey, subject, dnsNames, ipAddresses } = await parseSigningRequest(pem);
  return signPublicKey(ca, publicKey, { ...options, subject, dnsNames, ipAddresses });
}

const NO_NAMES: AlternativeNames = { dnsNames: [], ipAddresses: [], uris: [], emails: [] };

/** RFC 2986 §4. */
function read(pem: string) {
  const bytes = fromPem(LABEL, pem);
  if (!bytes) throw new RangeError(`there is no block ${LABEL}`);
  const [body, algorithm, signature] = membersOf(readDer(bytes)[0]);
  if (!body || !algorithm || signature?.tag !== Tag.bitString) throw new RangeError('a part is missing');
  const [, subject, key, attributes] = membersOf(body);
  if (!key) throw new RangeError('the public key is missing');
  const publicKey = createPublicKey({ key: key.whole, type: 'spki', format: 'der' });
  const names = findExtension(requestedExtensions(attributes), SUBJECT_ALTERNATIVE_NAME);
  return {
    body: body.whole,
    algorithm,
    signature: signature.content.subarray(1),
    subject: readDistinguishedName(subject),
    ...(names ? readGeneralNames(names) : NO_NAMES),
    publicKey,
  };
}

function requestedExtensions(attributes: DerValue | undefined): DerValue | undefined {
  for (const attribute of attributes ? membersOf(attributes, ATTRIBUTES) : []) {
    const [type, values] = membersOf(attribute);
    if (type?.whole.equals(EXTENSION_REQUEST)) return membersOf(values, Tag.set)[0];
  }
  return undefined;
}

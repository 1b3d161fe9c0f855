import { isIP } from 'node:net';
import { contextTag, der, type DerValue, membersOf, oid, sequence, Tag } from './der.js';

export interface Subject {
  readonly commonName: string;
  /** Kubernetes reads the groups of a client certificate from here. */
  readonly organizations?: readonly string[];
}

export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly emails: readonly string[];
}

const COMMON_NAME = oid('2.5.4.3');
const ORGANIZATION = oid('2.5.4.10');

/** A distinguished name (RFC 5280 §4.1.2.4): organizations first, each by itself. */
export function distinguishedName({ commonName, organizations = [] }: Subject): Buffer {
  const part = (type: Buffer, text: string) => {
    const plain = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text);
    return der(Tag.set, sequence(type, der(plain ? Tag.printableString : Tag.utf8String, Buffer.from(text))));
  };
  return sequence(...organizations.map((name) => part(ORGANIZATION, name)), part(COMMON_NAME, commonName));
}

export function readDistinguishedName(name: DerValue | undefined): Required<Subject> {
  const commonNames: string[] = [];
  const organizations: string[] = [];
  for (const set of membersOf(name)) {
    for (const attribute of membersOf(set, Tag.set)) {
      const [type, value] = membersOf(attribute);
      if (!type || !value) throw new RangeError('an attribute of the subject has no value');
      if (type.whole.equals(COMMON_NAME)) commonNames.push(textOf(value));
      else if (type.whole.equals(ORGANIZATION)) organizations.push(textOf(value));
    }
  }
  return { commonName: commonNames[0] ?? '', organizations };
}

const textOf = ({ tag, content }: DerValue): string => (tag === Tag.bmpString ? Buffer.from(content).swap16().toString('utf16le') : content.toString());

const [EMAIL, DNS, URI, IP] = [1, 2, 6, 7] as const;

/** GeneralNames (RFC 5280 §4.2.1.6). Throws a `TypeError` naming an address that is none. */
export function generalNames(names: Partial<AlternativeNames>): Buffer {
  const { dnsNames = [], ipAddresses = [] } = names;
  return sequence(
    ...dnsNames.map((name) => der(contextTag(DNS), Buffer.from(name))),
    ...ipAddresses.map((address) => der(contextTag(IP), addressBytes(address))),
  );
}

export function readGeneralNames(names: DerValue | undefined): AlternativeNames {
  const all = membersOf(names);
  const of = (n: number) => all.filter(({ tag }) => tag === contextTag(n)).map(({ content }) => content);
  const text = (n: number) => of(n).map((content) => content.toString());
  return { dnsNames: text(DNS), ipAddresses: of(IP).map(addressText), uris: text(URI), emails: text(EMAIL) };
}

function addressBytes(address: string): Buffer {
  switch (isIP(address)) {
    case 4:
      return Buffer.from(address.split('.').map(Number));
    case 6: {
      // The platform writes all spellings alike: groups of hexadecimal digits with one gap at most.
      const [before = '', after] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
      const groups = (part: string | undefined) => (part ? part.split(':').map((group) => Number.parseInt(group, 16)) : []);
      const [left, right] = [groups(before), groups(after)];
      const bytes = Buffer.alloc(16);
      for (const [i, group] of left.entries()) bytes.writeUInt16BE(group, 2 * i);
      for (const [i, group] of right.entries()) bytes.writeUInt16BE(group, 16 - 2 * (right.length - i));
      return bytes;
    }
    default:
      throw new TypeError(`${JSON.stringify(address)} is not an IP address`);
  }
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new RangeError('an IP address has 4 or 16 bytes');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

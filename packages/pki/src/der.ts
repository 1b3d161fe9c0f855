/** The tags of X.680 that certificates are made of. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Context-specific: `[n]`, with members when constructed. */
export const contextTag = (n: number, constructed = false): number => (constructed ? 0xa0 : 0x80) | n;

/** One value in DER (X.690): tag, length, the parts one after the other. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  if (length > 0xffff) throw new RangeError('values of more than 64 KiB are not written');
  return Buffer.concat([Uint8Array.from(head), ...parts]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(Tag.sequence, ...parts);

/** An object identifier written with dots. */
export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(Tag.oid, Uint8Array.from(bytes));
}

export const bitString = (bytes: Uint8Array, unusedBits = 0): Buffer => der(Tag.bitString, Uint8Array.of(unusedBits), bytes);

/** Seconds are the finest that certificates know. Two-digit years until 2049: RFC 5280 §4.1.2.5. */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return Number(digits.slice(0, 4)) < 2050 ? der(Tag.utcTime, Buffer.from(digits.slice(2))) : der(Tag.generalizedTime, Buffer.from(digits));
}

export interface DerValue {
  readonly tag: number;
  /** Without tag and length. */
  readonly content: Buffer;
  /** With them. */
  readonly whole: Buffer;
}

/** The values one after the other. Throws a `RangeError` for what is cut off or not DER. */
export function readDer(bytes: Buffer): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number;
    let length = bytes[at + 1];
    let head = 2;
    if (length !== undefined && length > 0x80) {
      const size = length & 0x7f;
      if (size > 4 || at + 2 + size > bytes.length) throw new RangeError('a length is wrong');
      length = bytes.readUIntBE(at + 2, size);
      head += size;
    }
    if (length === undefined || length === 0x80 || (tag & 0x1f) === 0x1f || at + head + length > bytes.length) throw new RangeError('a value is cut off');
    values.push({ tag, content: bytes.subarray(at + head, at + head + length), whole: bytes.subarray(at, at + head + length) });
    at += head + length;
  }
  return values;
}

/** What is in a constructed value with this tag. Throws a `RangeError` when it is another. */
export function membersOf(value: DerValue | undefined, tag: number = Tag.sequence): DerValue[] {
  if (value?.tag !== tag) throw new RangeError(`expected a value with tag 0x${tag.toString(16)}, found ${value ? `0x${value.tag.toString(16)}` : 'none'}`);
  return readDer(value.content);
}

/** The bytes of a PEM block of this label, or undefined when there is none. */
export function fromPem(label: string, text: string): Buffer | undefined {
  const found = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`).exec(text);
  return found ? Buffer.from(found[1] as string, 'base64') : undefined;
}

export function toPem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

import { bytesToIp, ipToBytes, parseCidr } from '@coxswain/linux';

/** From first to last, both in. */
interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

export interface IpBlock {
  readonly cidr: string;
  readonly except?: readonly string[];
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function toText(value: bigint, family: 4 | 6): string {
  const bytes = new Uint8Array(family === 4 ? 4 : 16);
  for (let i = bytes.length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytesToIp(bytes);
}

/** Undefined for what is no CIDR of the family: it matches nothing. */
function toRange(cidr: string, family: 4 | 6): Range | undefined {
  try {
    const { address, prefix } = parseCidr(cidr);
    const bytes = ipToBytes(address);
    if (bytes.length !== (family === 4 ? 4 : 16)) return undefined;
    const hostBits = BigInt(bytes.length * 8 - prefix);
    const first = (toNumber(bytes) >> hostBits) << hostBits;
    return { first, last: first + (1n << hostBits) - 1n };
  } catch {
    return undefined;
  }
}

function subtract(from: readonly Range[], hole: Range): Range[] {
  return from.flatMap((range) => {
    if (hole.last < range.first || hole.first > range.last) return [range];
    return [
      ...(range.first < hole.first ? [{ first: range.first, last: hole.first - 1n }] : []),
      ...(range.last > hole.last ? [{ first: hole.last + 1n, last: range.last }] : []),
    ];
  });
}

/** Overlapping and touching ranges as one, in order. */
export function mergeRanges<T extends bigint | number>(
  ranges: readonly { readonly first: T; readonly last: T }[],
  next: (value: T) => T,
): { first: T; last: T }[] {
  const out: { first: T; last: T }[] = [];
  for (const range of [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    const open = out.at(-1);
    if (open && range.first <= next(open.last)) {
      if (range.last > open.last) open.last = range.last;
    } else out.push({ ...range });
  }
  return out;
}

/** The addresses of one family in any of the blocks, as nftables writes them. An exception counts for its own block only. Pure. */
export function blockElements(blocks: readonly IpBlock[], family: 4 | 6): string[] {
  const ranges = blocks.flatMap((block) => {
    const whole = toRange(block.cidr, family);
    if (!whole) return [];
    return (block.except ?? []).reduce<Range[]>(
      (left, cidr) => {
        const hole = toRange(cidr, family);
        return hole ? subtract(left, hole) : left;
      },
      [whole],
    );
  });
  return mergeRanges(ranges, (n) => n + 1n).map(({ first, last }) =>
    first === last ? toText(first, family) : `${toText(first, family)}-${toText(last, family)}`,
  );
}

import { CniError, CniErrorCode } from '../error.js';
import { BITS, formatIp, parseIp, parseSubnet, type Subnet, subnetContains } from './address.js';

/** A range as configuration has it. */
export interface RangeConf {
  readonly subnet: string;
  readonly rangeStart?: string;
  readonly rangeEnd?: string;
  readonly gateway?: string;
  /** Addresses or subnets never to give out (an extension of ours). */
  readonly exclude?: readonly string[];
}

/** A range with everything filled in. */
export interface IpRange {
  readonly subnet: Subnet;
  readonly start: bigint;
  readonly end: bigint;
  readonly gateway: bigint;
  readonly exclude: readonly Subnet[];
}

const invalid = (message: string) => new CniError(CniErrorCode.invalidConfig, message);

function inSubnet(text: string, subnet: Subnet, what: string, conf: RangeConf): bigint {
  let ip: ReturnType<typeof parseIp>;
  try {
    ip = parseIp(text);
  } catch {
    throw invalid(`${what} ${JSON.stringify(text)} is not an IP address`);
  }
  if (!subnetContains(subnet, ip)) throw invalid(`${what} ${text} is not in subnet ${conf.subnet}`);
  return ip.value;
}

/** Fills in defaults: first and last usable address, and the first as gateway. Throws `CniError` code 7. */
export function resolveRange(conf: RangeConf): IpRange {
  let subnet: Subnet;
  try {
    subnet = parseSubnet(conf.subnet);
  } catch {
    throw invalid(`invalid subnet ${JSON.stringify(conf.subnet)}`);
  }
  if (subnet.prefix > BITS[subnet.family] - 2) throw invalid(`subnet ${conf.subnet} is too small to allocate from`);
  const start = conf.rangeStart ? inSubnet(conf.rangeStart, subnet, 'rangeStart', conf) : subnet.first + 1n;
  // IPv6 has no broadcast address.
  const end = conf.rangeEnd ? inSubnet(conf.rangeEnd, subnet, 'rangeEnd', conf) : subnet.family === 4 ? subnet.last - 1n : subnet.last;
  const gateway = conf.gateway ? inSubnet(conf.gateway, subnet, 'gateway', conf) : subnet.first + 1n;
  if (start > end) throw invalid(`rangeStart ${conf.rangeStart} is after rangeEnd ${conf.rangeEnd}`);
  const exclude = (conf.exclude ?? []).map((text) => {
    try {
      return parseSubnet(text.includes('/') ? text : `${text}/${BITS[subnet.family]}`);
    } catch {
      throw invalid(`invalid exclude ${JSON.stringify(text)}`);
    }
  });
  return { subnet, start, end, gateway, exclude };
}

/** Ranges one address is taken from. All of one family, none overlapping. */
export type RangeSet = readonly IpRange[];

export function resolveRangeSet(confs: readonly RangeConf[]): RangeSet {
  if (confs.length === 0) throw invalid('empty range set');
  const set = confs.map(resolveRange);
  for (const [i, a] of set.entries()) {
    for (const b of set.slice(i + 1)) {
      if (a.subnet.family !== b.subnet.family) throw invalid('a range set mixes IPv4 and IPv6');
      if (a.start <= b.end && b.start <= a.end) throw invalid(`ranges ${confs[i]?.subnet} and ${confs[set.indexOf(b)]?.subnet} overlap`);
    }
  }
  return set;
}

/** The range of the set that may give out this address. */
export function rangeOf(set: RangeSet, ip: string): IpRange | undefined {
  const { family, value } = parseIp(ip);
  return set.find((range) => range.subnet.family === family && value >= range.start && value <= range.end && usable(range, value));
}

export function usable(range: IpRange, value: bigint): boolean {
  return value !== range.gateway && !range.exclude.some((subnet) => value >= subnet.first && value <= subnet.last);
}

/** Every usable address once, beginning after `last` and going around: an address just freed is not used again soon. */
export function* candidates(set: RangeSet, last?: string): Generator<{ ip: string; range: IpRange }> {
  const after = last === undefined ? undefined : parseIp(last).value;
  const family = set[0]?.subnet.family ?? 4;
  const from = after === undefined ? -1 : set.findIndex((range) => after >= range.start && after <= range.end);
  const emit = function* (range: IpRange, start: bigint, end: bigint) {
    for (let value = start; value <= end; value++) if (usable(range, value)) yield { ip: formatIp({ family, value }), range };
  };
  if (from < 0 || after === undefined) {
    for (const range of set) yield* emit(range, range.start, range.end);
    return;
  }
  const current = set[from] as IpRange;
  yield* emit(current, after + 1n, current.end);
  for (let i = 1; i < set.length; i++) {
    const range = set[(from + i) % set.length] as IpRange;
    yield* emit(range, range.start, range.end);
  }
  yield* emit(current, current.start, after);
}

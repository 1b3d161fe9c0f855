import { CniError, CniErrorCode } from '../error.js';
import { formatIp } from './address.js';
import { candidates, type IpRange, type RangeSet, rangeOf } from './range.js';

export interface IpOwner {
  readonly containerId: string;
  readonly ifname: string;
}

/** Where reservations live. `reserve` must be atomic among everyone who uses the store, other processes included. */
export interface IpamStore {
  /** False when somebody has it already. */
  reserve(ip: string, owner: IpOwner): Promise<boolean>;
  /** The last address reserved from range set number `set`. */
  last(set: number): Promise<string | undefined>;
  setLast(set: number, ip: string): Promise<void>;
  byOwner(owner: IpOwner): Promise<string[]>;
  release(ip: string): Promise<void>;
  /** Every reservation; one whose owner cannot be read has none. */
  all(): Promise<{ ip: string; owner: IpOwner | undefined }[]>;
}

export interface Allocation {
  /** CIDR with the subnet's prefix. */
  readonly address: string;
  readonly gateway: string;
}

function allocation(ip: string, range: IpRange): Allocation {
  return { address: `${ip}/${range.subnet.prefix}`, gateway: formatIp({ family: range.subnet.family, value: range.gateway }) };
}

/**
 * One address from each range set, all or none. `requested` addresses are taken from the sets they belong to.
 * Rejects with code 11 when a set is full: an address may be freed any time.
 */
export async function allocate(store: IpamStore, sets: readonly RangeSet[], owner: IpOwner, requested: readonly string[] = []): Promise<Allocation[]> {
  const held = await store.byOwner(owner);
  if (held.length > 0) {
    throw new CniError(CniErrorCode.internal, `${held.join(', ')} has been allocated to ${owner.containerId} already, duplicate allocation is not allowed`);
  }
  const stray = requested.filter((ip) => !sets.some((set) => rangeOf(set, ip)));
  if (stray.length > 0) throw new CniError(CniErrorCode.invalidConfig, `requested address ${stray.join(', ')} is not in a range of this network`);
  const taken: string[] = [];
  try {
    const out: Allocation[] = [];
    for (const [index, set] of sets.entries()) {
      const wanted = requested.find((ip) => rangeOf(set, ip));
      const found = wanted === undefined ? await next(store, set, index, owner) : await exactly(store, set, wanted, owner);
      taken.push(found.ip);
      out.push(allocation(found.ip, found.range));
    }
    return out;
  } catch (error) {
    await Promise.all(taken.map((ip) => store.release(ip)));
    throw error;
  }
}

async function exactly(store: IpamStore, set: RangeSet, ip: string, owner: IpOwner) {
  const range = rangeOf(set, ip);
  if (!range || !(await store.reserve(ip, owner))) throw new CniError(CniErrorCode.tryAgainLater, `requested address ${ip} is in use`);
  return { ip, range };
}

async function next(store: IpamStore, set: RangeSet, index: number, owner: IpOwner) {
  for (const { ip, range } of candidates(set, await store.last(index))) {
    if (!(await store.reserve(ip, owner))) continue;
    await store.setLast(index, ip);
    return { ip, range };
  }
  const span = set.map((r) => `${formatIp({ family: r.subnet.family, value: r.start })}-${formatIp({ family: r.subnet.family, value: r.end })}`).join(',');
  // Upstream host-local's words.
  throw new CniError(CniErrorCode.tryAgainLater, `failed to allocate for range ${index}: no IP addresses available in range set: ${span}`);
}

/** Gives back everything of an owner. Idempotent. */
export async function releaseOwner(store: IpamStore, owner: IpOwner): Promise<void> {
  await Promise.all((await store.byOwner(owner)).map((ip) => store.release(ip)));
}

/** Gives back everything whose owner is not in `valid`, or not readable. */
export async function releaseStale(store: IpamStore, valid: readonly IpOwner[]): Promise<void> {
  const keep = new Set(valid.map((o) => `${o.containerId}/${o.ifname}`));
  const stale = (await store.all()).filter(({ owner }) => !owner || !keep.has(`${owner.containerId}/${owner.ifname}`));
  await Promise.all(stale.map(({ ip }) => store.release(ip)));
}

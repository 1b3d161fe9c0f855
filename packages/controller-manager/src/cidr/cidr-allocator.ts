interface Block {
  readonly base: bigint;
  readonly bits: 32 | 128;
  readonly prefix: number;
}

function parseIp(ip: string): { readonly value: bigint; readonly bits: 32 | 128 } {
  if (!ip.includes(':')) {
    const parts = ip.split('.').map(Number);
    if (parts.length !== 4 || parts.some((p) => !Number.isInteger(p) || p < 0 || p > 255)) throw new Error(`invalid IP address ${ip}`);
    return { value: parts.reduce((v, p) => (v << 8n) | BigInt(p), 0n), bits: 32 };
  }
  const [head = '', tail] = ip.split('::') as [string, string | undefined];
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  if (groups.length !== 8 || groups.some((g) => !/^[0-9a-f]{1,4}$/i.test(g))) throw new Error(`invalid IP address ${ip}`);
  return { value: groups.reduce((v, g) => (v << 16n) | BigInt(`0x${g}`), 0n), bits: 128 };
}

function parseCidr(cidr: string): Block {
  const [ip = '', length] = cidr.split('/');
  const { value, bits } = parseIp(ip);
  const prefix = Number(length);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > bits) throw new Error(`invalid CIDR ${cidr}`);
  const host = BigInt(bits - prefix);
  return { base: (value >> host) << host, bits, prefix };
}

function formatIp(value: bigint, bits: 32 | 128): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((s) => String((value >> s) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt((7 - i) * 16)) & 0xffffn).toString(16));
  // The longest run of zero groups is left out.
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === '0') n++;
    if (n > best.length) best = { start: i, length: n };
    if (n > 0) i += n - 1;
  }
  if (best.start === -1) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

/** Hands out equal parts of a CIDR, one to each node. Pure bookkeeping: what is occupied comes from the nodes. */
export class CidrAllocator {
  readonly #block: Block;
  readonly #size: bigint;
  readonly #count: number;
  readonly #used = new Set<number>();
  #next = 0;

  constructor(
    readonly cidr: string,
    readonly nodePrefix: number,
  ) {
    this.#block = parseCidr(cidr);
    if (nodePrefix < this.#block.prefix || nodePrefix > this.#block.bits) throw new Error(`node mask size /${nodePrefix} does not fit into ${cidr}`);
    this.#count = 2 ** Math.min(16, nodePrefix - this.#block.prefix);
    this.#size = 1n << BigInt(this.#block.bits - nodePrefix);
  }

  get isIPv6(): boolean {
    return this.#block.bits === 128;
  }

  /** Undefined when there is none left. */
  allocate(): string | undefined {
    for (let i = 0; i < this.#count; i++) {
      const at = (this.#next + i) % this.#count;
      if (this.#used.has(at)) continue;
      this.#used.add(at);
      this.#next = (at + 1) % this.#count;
      return `${formatIp(this.#block.base + BigInt(at) * this.#size, this.#block.bits)}/${this.nodePrefix}`;
    }
    return undefined;
  }

  occupy(cidr: string): void {
    const at = this.#indexOf(cidr);
    if (at !== undefined) this.#used.add(at);
  }

  /** Hand out no part that has an address of `cidr`, which may be smaller or larger than a part. */
  keepOff(cidr: string): void {
    const b = parseCidr(cidr);
    if (b.bits !== this.#block.bits) return;
    const end = b.base + (1n << BigInt(b.bits - b.prefix)) - 1n;
    const clamp = (n: bigint) => (n < 0n ? 0n : n >= BigInt(this.#count) ? BigInt(this.#count) : n);
    if (end < this.#block.base) return;
    const from = b.base < this.#block.base ? 0n : (b.base - this.#block.base) / this.#size;
    for (let at = clamp(from); at < clamp((end - this.#block.base) / this.#size + 1n); at++) this.#used.add(Number(at));
  }

  release(cidr: string): void {
    const at = this.#indexOf(cidr);
    if (at !== undefined) this.#used.delete(at);
  }

  #indexOf(cidr: string): number | undefined {
    const b = parseCidr(cidr);
    if (b.bits !== this.#block.bits) return undefined;
    const offset = (b.base - this.#block.base) / this.#size;
    return b.base >= this.#block.base && offset < BigInt(this.#count) ? Number(offset) : undefined;
  }
}

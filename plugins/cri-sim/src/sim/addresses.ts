/** Addresses of pods, from a CIDR; those in use are not given twice. */
export class Addresses {
  #next = 2;
  readonly #used = new Set<string>();
  #base = 0;
  #size = 0;

  constructor(cidr = '') {
    this.cidr = cidr;
  }

  #cidr = '';

  get cidr(): string {
    return this.#cidr;
  }

  /** Throws a `RangeError` when it is not an IPv4 network of 4 or more addresses. Empty: there are none to give yet. */
  set cidr(cidr: string) {
    if (cidr === this.#cidr) return;
    const found = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
    const [a = 0, b = 0, c = 0, d = 0, bits = 33] = (found ?? []).slice(1).map(Number);
    if (cidr !== '' && (bits > 30 || bits < 8 || [a, b, c, d].some((n) => n > 255)))
      throw new RangeError(`podCIDR ${JSON.stringify(cidr)} is not an IPv4 network such as 10.244.0.0/24`);
    this.#cidr = cidr;
    this.#size = cidr === '' ? 0 : 2 ** (32 - bits);
    this.#base = this.#size === 0 ? 0 : (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) - ((((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % this.#size);
    this.#next = 2;
  }

  /** Undefined when all are taken. The network's own address, the gateway's (the first) and the last are never given. */
  take(): string | undefined {
    for (let tries = 0; tries < this.#size - 3; tries++) {
      const address = text(this.#base + this.#next);
      this.#next = this.#next + 1 >= this.#size - 1 ? 2 : this.#next + 1;
      if (this.#used.has(address)) continue;
      this.#used.add(address);
      return address;
    }
    return undefined;
  }

  mark(address: string): void {
    this.#used.add(address);
  }

  release(address: string): void {
    this.#used.delete(address);
  }
}

const text = (n: number) => `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;

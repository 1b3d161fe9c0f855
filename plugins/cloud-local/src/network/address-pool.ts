/** The IPv4 addresses that load balancers may have: a network (`10.200.0.0/24`, without its first and last) or a range (`10.0.0.5-10.0.0.9`). */
export class AddressPool {
  readonly #from: number;
  readonly #to: number;

  /** Throws for what is neither. */
  constructor(readonly text: string) {
    const range = /^([\d.]+)-([\d.]+)$/.exec(text);
    const network = /^([\d.]+)\/(\d+)$/.exec(text);
    if (range) {
      this.#from = toNumber(range[1] as string);
      this.#to = toNumber(range[2] as string);
    } else if (network) {
      const bits = Number(network[2]);
      const base = toNumber(network[1] as string);
      const size = 2 ** (32 - bits);
      if (bits > 32 || base % size !== 0) throw new Error(`${text} is not a network: its host bits must be 0`);
      const ends = size > 2 ? 1 : 0;
      this.#from = base + ends;
      this.#to = base + size - 1 - ends;
    } else throw new Error(`${text} is neither a network such as 10.200.0.0/24 nor a range such as 10.200.0.10-10.200.0.20`);
    if (this.#to < this.#from) throw new Error(`${text} ends before it begins`);
  }

  get size(): number {
    return this.#to - this.#from + 1;
  }

  has(address: string): boolean {
    const n = toNumber(address);
    return n >= this.#from && n <= this.#to;
  }

  /** The lowest address that is not taken; undefined: there is none. */
  free(taken: ReadonlySet<string>): string | undefined {
    for (let n = this.#from; n <= this.#to; n++) {
      const address = toText(n);
      if (!taken.has(address)) return address;
    }
    return undefined;
  }
}

function toNumber(address: string): number {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((p) => !Number.isInteger(p) || p < 0 || p > 255)) throw new Error(`${address} is not an IPv4 address`);
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

function toText(n: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join('.');
}

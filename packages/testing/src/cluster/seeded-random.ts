import type { Random } from '@coxswain/sdk';

/** Reproducible randomness (xoshiro128**): the same seed gives the same run. */
export function seededRandom(seed: number): Random {
  const state = new Uint32Array(4);
  let s = seed >>> 0;
  // Split mix, so that neighbouring seeds give unlike runs.
  for (let i = 0; i < 4; i++) {
    s = (s + 0x9e3779b9) >>> 0;
    let z = Math.imul(s ^ (s >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    state[i] = (z ^ (z >>> 15)) >>> 0;
  }
  const word = () => {
    const [a = 0, b = 0, c = 0, d = 0] = state;
    const x = Math.imul(b, 5);
    const out = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const e = d ^ b;
    const f = c ^ a;
    state[0] = a ^ e;
    state[1] = b ^ f;
    state[2] = f ^ (b << 9);
    state[3] = (e << 11) | (e >>> 21);
    return out;
  };
  const bytes = (n: number) => {
    const out = new Uint8Array(n);
    for (let i = 0; i < n; i += 4) {
      const w = word();
      for (let k = 0; k < 4 && i + k < n; k++) out[i + k] = (w >>> (8 * k)) & 255;
    }
    return out;
  };
  return {
    next: () => word() / 2 ** 32,
    int: (n) => Math.floor((word() / 2 ** 32) * n),
    bytes,
    uuid() {
      const hex = (n: number) => n.toString(16).padStart(8, '0');
      const [a, b, c, d] = [word(), (word() & 0xffff0fff) | 0x4000, (word() & 0x3fffffff) | 0x80000000, word()].map((n) => hex(n >>> 0)) as [
        string,
        string,
        string,
        string,
      ];
      return `${a}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${d}`;
    },
  };
}

import { randomBytes, randomUUID } from 'node:crypto';
import { token } from './token.js';

/** Randomness as a parameter, so that a whole cluster can be replayed. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, n). */
  int(n: number): number;
  uuid(): string;
  bytes(n: number): Uint8Array;
}

export const Random = token<Random>('coxswain.random.v1');

export const systemRandom: Random = Object.freeze({
  next: () => Math.random(),
  int: (n: number) => Math.floor(Math.random() * n),
  uuid: () => randomUUID(),
  bytes: (n: number) => new Uint8Array(randomBytes(n)),
});

// Upstream's alphabet for generated names: no vowels and no look-alikes, so that no words appear.
const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** The suffix the API server appends to `generateName`, and controllers to the names they make. */
export function randomNameSuffix(random: Random, length = 5): string {
  let out = '';
  for (let i = 0; i < length; i++) out += NAME_ALPHABET[random.int(NAME_ALPHABET.length)];
  return out;
}

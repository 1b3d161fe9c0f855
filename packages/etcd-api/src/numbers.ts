import { RpcError } from '@coxswain/cri';

/** A 64-bit number of the protocol as ours. What does not fit is refused: rounding it would address something else. */
export function toNumber(value: bigint, what: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RpcError('invalidArgument', `etcdserver: ${what} ${value} is beyond what this store can number`);
  return number;
}

import { type Digest, digestOf } from './digest.js';

/** Chain ids of a stack of layers, lowest first (OCI image specification, "Layer ChainID"). */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const out: Digest[] = [];
  for (const diffId of diffIds) {
    const parent = out.at(-1);
    out.push(parent === undefined ? diffId : digestOf(`${parent} ${diffId}`));
  }
  return out;
}

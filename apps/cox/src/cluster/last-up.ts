import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterConfig } from '@coxswain/cluster';

const stamp = ({ paths }: ClusterConfig) => join(paths.run, 'up');

/** `cox up` has seen the cluster ready. */
export function noteUp(config: ClusterConfig): void {
  writeFileSync(stamp(config), '');
}

/** When that was, in whole seconds since 1970, as supervisors count; 0 when never since the machine started. */
export function lastUp(config: ClusterConfig): number {
  return Math.floor((statSync(stamp(config), { throwIfNoEntry: false })?.mtimeMs ?? 0) / 1000);
}

import { chownSync, statSync } from 'node:fs';
import type { ResolvedUser } from './user.js';
import { hostOwner, type UserMappings } from '../sandbox/user-mappings.js';

const NULL = '/dev/null';

/** crun before 1.9 gives the container's user what its standard input is, and that may be the machine's /dev/null: take it back. */
export function keepNull(): void {
  const { uid, gid } = statSync(NULL);
  if (uid !== 0 || gid !== 0) chownSync(NULL, 0, 0);
}

/**
 * A process that is there but does not run yet gets its pipes for its own, so that it can open /dev/stdout by name. A runtime cannot: in the
 * pod's user namespace they are nobody's.
 */
export function ownStdio(pid: number, user: ResolvedUser, users: UserMappings): void {
  const { uid, gid } = hostOwner(user, users);
  for (const fd of [0, 1, 2]) {
    const path = `/proc/${pid}/fd/${fd}`;
    if (statSync(path, { throwIfNoEntry: false })?.isFIFO()) chownSync(path, uid, gid);
  }
}

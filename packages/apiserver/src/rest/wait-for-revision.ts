import type { RestEnv } from './rest-env.js';
import { tooLarge } from './too-large.js';

const MAX_WAIT_MS = 3000;

/** Wait until the caches are not older than `revision`; 504 when they do not get there in time, as upstream answers. */
export async function waitForRevision(env: RestEnv, revision: number): Promise<void> {
  const reached = env.feed.waitFor(revision);
  if (!reached) return;
  let cancel = () => {};
  const late = new Promise<'late'>((resolve) => {
    cancel = env.clock.setTimeout(() => resolve('late'), MAX_WAIT_MS);
  });
  try {
    if ((await Promise.race([reached, late])) === 'late') throw tooLarge(revision, env.feed.revision);
  } finally {
    cancel();
  }
}

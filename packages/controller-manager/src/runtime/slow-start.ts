/**
 * Do `work` `count` times in batches of 1, 2, 4, 8…: when the first fails (quota, admission), the rest is not even tried.
 * Returns how many worked and the first error.
 */
export async function slowStart(count: number, work: (index: number) => Promise<void>): Promise<{ readonly succeeded: number; readonly error?: unknown }> {
  let done = 0;
  for (let batch = 1; done < count; batch *= 2) {
    const size = Math.min(batch, count - done);
    const results = await Promise.allSettled(Array.from({ length: size }, (_, i) => work(done + i)));
    const failed = results.filter((r) => r.status === 'rejected');
    if (failed[0]) return { succeeded: done + size - failed.length, error: failed[0].reason };
    done += size;
  }
  return { succeeded: done };
}

/**
 * Runs `fn` for 0 … count-1 in batches of 1, 2, 4, …, and stops after the first batch with a failure: when nothing can be created
 * (a quota, a webhook), it is tried once, not a thousand times.
 * Returns how many succeeded, with the first failure.
 */
export async function slowStartBatch(
  count: number,
  fn: (index: number) => Promise<void>,
  initialBatchSize = 1,
): Promise<{ readonly succeeded: number; readonly error?: unknown }> {
  let succeeded = 0;
  let next = 0;
  for (let size = Math.min(count, initialBatchSize); size > 0; size = Math.min(2 * size, count - next)) {
    const batch = await Promise.allSettled(Array.from({ length: size }, async (_, i) => fn(next + i)));
    next += size;
    succeeded += batch.filter((r) => r.status === 'fulfilled').length;
    const failed = batch.find((r) => r.status === 'rejected');
    if (failed) return { succeeded, error: failed.reason };
  }
  return { succeeded };
}

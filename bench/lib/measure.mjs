/** Run `total` calls, `concurrency` at a time; rate per second and latencies in milliseconds. */
export async function load(total, concurrency, call) {
  const latencies = [];
  let next = 0;
  const begun = performance.now();
  const worker = async () => {
    while (next < total) {
      const i = next++;
      const at = performance.now();
      await call(i);
      latencies.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { perSecond: total / ((performance.now() - begun) / 1000), ...percentiles(latencies) };
}

export function percentiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

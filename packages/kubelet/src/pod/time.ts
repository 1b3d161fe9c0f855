let lastSecond = Number.NaN;
let lastTime = '';

/** API time: RFC 3339 with whole seconds, UTC. */
export function apiTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  // Most of those that are asked for are now.
  if (second !== lastSecond) {
    lastTime = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastTime;
}

/** API micro time, as leases carry it. */
export function apiMicroTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** Milliseconds of an API time; undefined when absent or unreadable. */
export function parseTime(time: string | Date | undefined | null): number | undefined {
  if (!time) return undefined;
  const ms = typeof time === 'string' ? Date.parse(time) : time.getTime();
  return Number.isNaN(ms) ? undefined : ms;
}

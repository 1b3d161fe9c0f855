const UNITS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Go's duration syntax (`1h15m30.5s`) to milliseconds; undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
  const m = /^([+-]?)(.+)$/.exec(text);
  if (!m) return undefined;
  const body = m[2] as string;
  if (body === '0') return 0;
  let total = 0;
  let at = 0;
  for (const part of body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy)) {
    total += Number(part[1]) * (UNITS[part[2] as string] as number);
    at = (part.index ?? 0) + part[0].length;
  }
  if (at !== body.length) return undefined;
  return m[1] === '-' ? -total : total;
}

/** Milliseconds in Go's syntax: `1h15m0s`, `1.5s`, `20ms`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  const abs = Math.abs(ms);
  if (abs < 1) return abs < 1e-3 ? `${sign}${Math.round(abs * 1e6)}ns` : `${sign}${trim(abs * 1e3)}µs`;
  if (abs < 1000) return `${sign}${trim(abs)}ms`;
  const hours = Math.floor(abs / 3_600_000);
  const minutes = Math.floor((abs % 3_600_000) / 60_000);
  const seconds = `${trim((abs % 60_000) / 1000)}s`;
  return sign + (hours > 0 ? `${hours}h${minutes}m${seconds}` : minutes > 0 ? `${minutes}m${seconds}` : seconds);
}

const trim = (n: number) => String(Number(n.toFixed(9)));

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

let lastSecond = Number.NaN;
let lastTime = '';

/** `meta/v1.Time`: seconds, UTC. `ms` since the epoch. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  // Most of those that are asked for are now.
  if (second !== lastSecond) {
    lastTime = `${new Date(ms).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastTime;
}

/** `meta/v1.MicroTime`: six decimals. Fractions of a millisecond in `ms` are kept. */
export function formatMicroTime(ms: number): string {
  const whole = Math.floor(ms);
  const micros = Math.min(999, Math.floor((ms - whole) * 1000));
  return `${new Date(whole).toISOString().slice(0, 23)}${String(micros).padStart(3, '0')}Z`;
}

/** Milliseconds since the epoch (with fractions), or undefined when it is not RFC 3339. */
export function parseTime(text: string): number | undefined {
  const m = RFC3339.exec(text);
  if (!m) return undefined;
  const [, y, mo, d, h, mi, s, fraction, sign, oh, om] = m;
  const base = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
  const date = new Date(base);
  if (date.getUTCMonth() !== Number(mo) - 1 || date.getUTCDate() !== Number(d) || Number(h) > 23 || Number(mi) > 59 || Number(s) > 59) return undefined;
  const offset = sign ? (sign === '-' ? 1 : -1) * (Number(oh) * 60 + Number(om)) * 60_000 : 0;
  return base + offset + (fraction ? Number(`0.${fraction}`) * 1000 : 0);
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** The samples of the named metrics in a Prometheus text; other lines cost next to nothing. */
export function parseSamples(text: string, names: ReadonlySet<string>): Sample[] {
  const out: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.charCodeAt(0) === 35) continue;
    const brace = line.indexOf('{');
    const space = line.indexOf(' ');
    const name = line.slice(0, brace >= 0 && brace < space ? brace : space);
    if (!names.has(name)) continue;
    const close = brace >= 0 ? line.lastIndexOf('}') : -1;
    const labels: Record<string, string> = {};
    if (close > brace)
      for (const m of line.slice(brace + 1, close).matchAll(LABEL))
        labels[m[1] as string] = (m[2] as string).replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
    const value = Number(
      line
        .slice(close >= 0 ? close + 1 : space)
        .trim()
        .split(' ')[0],
    );
    if (Number.isFinite(value)) out.push({ name, labels, value });
  }
  return out;
}

/** The sum of a metric over the series whose labels match. */
export function sum(samples: readonly Sample[], name: string, where: (labels: Readonly<Record<string, string>>) => boolean = () => true): number {
  let total = 0;
  for (const s of samples) if (s.name === name && where(s.labels)) total += s.value;
  return total;
}

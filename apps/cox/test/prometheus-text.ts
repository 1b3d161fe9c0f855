/** A metric family of a Prometheus text. */
export interface Family {
  readonly type: string;
  readonly samples: number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\n"])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(?:${LABEL}(?:,${LABEL})*,?)?\\})? (\\S+)(?: -?\\d+)?$`);
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const PARTS: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'], summary: ['', '_sum', '_count'] };

/** Parse the text format 0.0.4 as strictly as Prometheus does; throws at the line that is wrong. */
export function parsePrometheus(text: string): Map<string, Family> {
  const families = new Map<string, { type: string; samples: number }>();
  const owner = new Map<string, string>();
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  for (const [i, line] of text.slice(0, -1).split('\n').entries()) {
    const wrong = (why: string) => new Error(`line ${i + 1}: ${why}: ${line}`);
    const declared = /^# (TYPE|HELP) (\S+) (.*)$/.exec(line);
    if (declared) {
      const [, what, name = '', rest = ''] = declared;
      if (what === 'HELP') continue;
      if (!TYPES.has(rest)) throw wrong('unknown type');
      if (families.has(name)) throw wrong('a second TYPE');
      families.set(name, { type: rest, samples: 0 });
      for (const part of PARTS[rest] ?? ['']) owner.set(name + part, name);
      continue;
    }
    if (line === '' || line.startsWith('#')) continue;
    const sample = SAMPLE.exec(line);
    if (!sample) throw wrong('not a sample');
    if (Number.isNaN(Number(sample[2]?.replace('Inf', 'Infinity'))) && sample[2] !== 'NaN') throw wrong('not a number');
    const family = families.get(owner.get(sample[1] as string) ?? '');
    if (!family) throw wrong('a sample without TYPE');
    family.samples++;
  }
  return families;
}

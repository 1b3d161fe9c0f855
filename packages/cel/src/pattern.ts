const patterns = new Map<string, RegExp | null>();
const MAX_PATTERNS = 2000;

/** Go's syntax as far as JavaScript has it: inline flags at the front become flags. Null: it cannot be read. */
export function compilePattern(source: string): RegExp | null {
  let compiled = patterns.get(source);
  if (compiled === undefined) {
    const inline = /^\(\?([ims]+)\)/.exec(source);
    const body = (inline ? source.slice(inline[0].length) : source)
      .replace(/\\A/g, '^')
      .replace(/\\z/g, '$')
      .replace(/\(\?P</g, '(?<')
      .replace(/\[\[:(\w+):\]\]/g, posixClass);
    compiled = tryCompile(body, `u${inline?.[1] ?? ''}`) ?? tryCompile(body, inline?.[1] ?? '');
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    patterns.set(source, compiled);
  }
  return compiled;
}

function posixClass(_: string, name: string): string {
  const classes: Readonly<Record<string, string>> = {
    alnum: '[0-9A-Za-z]',
    alpha: '[A-Za-z]',
    digit: '[0-9]',
    lower: '[a-z]',
    upper: '[A-Z]',
    space: '[\\t\\n\\v\\f\\r ]',
    xdigit: '[0-9A-Fa-f]',
    word: '[0-9A-Za-z_]',
  };
  return classes[name] ?? '[^]';
}

function tryCompile(source: string, flags: string): RegExp | null {
  try {
    return new RegExp(source, flags);
  } catch {
    return null;
  }
}

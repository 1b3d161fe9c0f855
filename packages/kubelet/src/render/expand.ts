/** `$(VAR)` references of env values, commands and args. `$$` is a dollar sign; unknown references stay as they are. */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    const next = text[i + 1];
    if (char !== '$' || next === undefined) out += char;
    else if (next === '$') {
      out += '$';
      i++;
    } else if (next === '(') {
      const end = text.indexOf(')', i + 2);
      if (end < 0) out += char;
      else {
        const name = text.slice(i + 2, end);
        out += lookup(name) ?? `$(${name})`;
        i = end;
      }
    } else out += char;
  }
  return out;
}

/**
 * Object construction as mutating policies write it (`Object{spec: Object.spec{replicas: 3}}`, `JSONPatch{op: "add", …}`) in terms
 * of maps, which is all it means without types.
 */
export function expandObjects(source: string): string {
  const out: string[] = [];
  /** For each open brace: whether it constructs an object, whose member names stand bare. */
  const braces: boolean[] = [];
  let i = 0;
  while (i < source.length) {
    const rest = source.slice(i);
    const token =
      /^(?:\/\/[^\n]*|[rRbB]{0,2}"""[\s\S]*?"""|[rRbB]{0,2}'''[\s\S]*?'''|[rR]"[^"]*"|[rR]'[^']*'|[bB]?"(?:[^"\\]|\\.)*"|[bB]?'(?:[^'\\]|\\.)*'|[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*|\s+|[\s\S])/.exec(
        rest,
      )?.[0] as string;
    i += token.length;
    const type = /^(?:Object(?:\.[A-Za-z_]\w*)*|JSONPatch)$/.test(token) && /^\s*\{/.test(source.slice(i));
    if (type) {
      i += source.slice(i).indexOf('{') + 1;
      out.push('{');
      braces.push(true);
    } else if (token === '{') {
      out.push(token);
      braces.push(false);
    } else if (token === '}') {
      out.push(token);
      braces.pop();
    } else if (braces.at(-1) && /^[A-Za-z_]\w*$/.test(token) && /^\s*:/.test(source.slice(i)) && /[{,]\s*$/.test(out.join('').replace(/\/\/[^\n]*\n/g, ''))) {
      out.push(JSON.stringify(token));
    } else out.push(token);
  }
  return out.join('');
}

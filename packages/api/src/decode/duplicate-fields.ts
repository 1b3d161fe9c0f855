/**
 * Keys a JSON text gives twice in one object, as strict decoding reports them: `duplicate field "spec.replicas"`.
 * The text must be valid JSON. Runs over the text once; meant for fieldValidation Warn and Strict only.
 */
export function duplicateFields(text: string): string[] {
  const found: string[] = [];
  const stack: { keys: Set<string> | undefined; key: string; index: number }[] = [];
  let position = 0;
  let expectKey = false;
  const pathOf = (key: string): string =>
    stack
      .map(({ keys, key: name, index }, depth) => (keys === undefined ? `[${index}]` : depth === stack.length - 1 ? `.${key}` : `.${name}`))
      .join('')
      .slice(1);
  while (position < text.length) {
    const character = text[position];
    const top = stack[stack.length - 1];
    if (character === '"') {
      const end = endOfString(text, position);
      if (expectKey && top?.keys) {
        const key = JSON.parse(text.slice(position, end)) as string;
        if (top.keys.has(key)) found.push(`duplicate field ${JSON.stringify(pathOf(key))}`);
        top.keys.add(key);
        top.key = key;
        expectKey = false;
      }
      position = end;
      continue;
    }
    if (character === '{') {
      stack.push({ keys: new Set(), key: '', index: 0 });
      expectKey = true;
    } else if (character === '[') {
      stack.push({ keys: undefined, key: '', index: 0 });
      expectKey = false;
    } else if (character === '}' || character === ']') {
      stack.pop();
      expectKey = false;
    } else if (character === ',' && top) {
      if (top.keys === undefined) top.index++;
      expectKey = top.keys !== undefined;
    }
    position++;
  }
  return found;
}

function endOfString(text: string, start: number): number {
  let position = start + 1;
  while (text[position] !== '"') position += text[position] === '\\' ? 2 : 1;
  return position + 1;
}

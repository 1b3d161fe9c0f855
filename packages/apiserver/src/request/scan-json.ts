export interface JsonScan {
  readonly tooDeep: boolean;
  /** Paths of members that occur twice, as upstream names them. */
  readonly duplicates: readonly string[];
}

/** Levels an object may have. Whoever walks it does so recursively: how many fit on the stack depends on what has been compiled, some 4,000 at worst. */
export const MAX_DEPTH = 1000;
const NONE: readonly string[] = [];

interface Level {
  /** Undefined in arrays. */
  readonly keys: Set<string> | undefined;
  readonly path: string;
  index: number;
}

/**
 * Look over JSON text before it is parsed: nesting that would exhaust the stack of whoever walks the object, and (when asked for)
 * members given twice, which JSON.parse lets pass. Text that is not JSON is left for the parser to refuse.
 */
export function scanJson(text: string, wantDuplicates: boolean): JsonScan {
  if (!wantDuplicates) return { tooDeep: depthExceeds(text), duplicates: NONE };
  const duplicates: string[] = [];
  const levels: Level[] = [];
  let path = '';
  let expectKey = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: {
        const end = endOfString(text, i);
        if (expectKey) {
          const top = levels[levels.length - 1] as Level;
          const raw = text.slice(i + 1, end);
          const key = raw.includes('\\') ? unescapeKey(raw) : raw;
          path = top.path === '' ? key : `${top.path}.${key}`;
          if (top.keys?.has(key)) duplicates.push(path);
          else top.keys?.add(key);
          expectKey = false;
        }
        i = end;
        break;
      }
      case 0x7b:
        levels.push({ keys: new Set(), path, index: 0 });
        expectKey = true;
        break;
      case 0x5b:
        levels.push({ keys: undefined, path, index: 0 });
        path = `${path}[0]`;
        expectKey = false;
        break;
      case 0x7d:
      case 0x5d:
        levels.pop();
        expectKey = false;
        break;
      case 0x2c: {
        const top = levels[levels.length - 1];
        if (!top) break;
        if (top.keys) expectKey = true;
        else path = `${top.path}[${++top.index}]`;
      }
    }
    if (levels.length > MAX_DEPTH) return { tooDeep: true, duplicates };
  }
  return { tooDeep: false, duplicates };
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function unescapeKey(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}

function depthExceeds(text: string): boolean {
  // Fewer brackets than the limit cannot nest deeper.
  if (text.length < MAX_DEPTH) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) i = endOfString(text, i);
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return false;
}

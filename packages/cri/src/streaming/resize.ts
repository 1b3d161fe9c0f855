import type { Readable } from 'node:stream';
import type { TerminalSize } from './types.js';

/** Terminal sizes from a stream of concatenated JSON objects `{"Width":80,"Height":24}`; malformed text is skipped. */
export async function* readSizes(stream: Readable | undefined): AsyncGenerator<TerminalSize> {
  if (!stream) return;
  let text = '';
  try {
    for await (const chunk of stream) {
      text += String(chunk);
      for (let end = text.indexOf('}'); end >= 0; end = text.indexOf('}')) {
        const size = parse(text.slice(text.indexOf('{'), end + 1));
        text = text.slice(end + 1);
        if (size) yield size;
      }
      if (text.length > 4096) text = '';
    }
  } catch {
    // A broken connection ends the sizes; the session reports it.
  }
}

function parse(json: string): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(json) as { Width?: unknown; Height?: unknown };
    const ok = (n: unknown): n is number => typeof n === 'number' && Number.isInteger(n) && n > 0 && n <= 0xffff;
    return ok(Width) && ok(Height) ? { width: Width, height: Height } : undefined;
  } catch {
    return undefined;
  }
}

export const writeSize = (size: TerminalSize) => JSON.stringify({ Width: size.width, Height: size.height });

import type { Readable } from 'node:stream';

/** Lines of a stream, as they come. */
export async function* lines(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream) {
    rest += (chunk as Buffer).toString('utf8');
    for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n')) {
      const line = rest.slice(0, at).trim();
      rest = rest.slice(at + 1);
      if (line) yield line;
    }
  }
}

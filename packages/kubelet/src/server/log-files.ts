import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HttpError } from './http-error.js';

/** Answers with a file or a folder's names below `folder`, which links do not lead out of. */
export async function serveLogFile(folder: string, parts: readonly string[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  const root = await realpath(folder);
  const path = await realpath(join(root, ...parts)).catch(() => undefined);
  if (!path || (path !== root && !path.startsWith(`${root}/`))) throw new HttpError(404, '404 page not found');
  const found = await stat(path);
  if (found.isDirectory()) {
    const names = (await readdir(path, { withFileTypes: true })).map((e) => `${e.name}${e.isDirectory() ? '/' : ''}`);
    const html = names.map((n) => `<a href="${encodeURI(n)}">${n.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</a>`).join('\n');
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<pre>\n${html}\n</pre>\n`);
    return;
  }
  if (!found.isFile()) throw new HttpError(404, '404 page not found');
  const part = byteRange(request.headers.range, found.size);
  const head = { 'content-type': 'text/plain; charset=utf-8', 'accept-ranges': 'bytes', 'content-length': part.end - part.start };
  // A file that grows meanwhile is answered as it was when asked for.
  if (part.whole) response.writeHead(200, head);
  else response.writeHead(206, { ...head, 'content-range': `bytes ${part.start}-${part.end - 1}/${found.size}` });
  if (part.end === part.start) return void response.end();
  await pipeline(createReadStream(path, { start: part.start, end: part.end - 1 }), response);
}

/** One range of a `Range` header (RFC 9110, 14.2); anything else there means the whole file. */
export function byteRange(header: string | undefined, size: number): { readonly start: number; readonly end: number; readonly whole: boolean } {
  const whole = { start: 0, end: size, whole: true };
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!found || size === 0) return whole;
  const [, from = '', to = ''] = found;
  if (from === '') return to === '' || Number(to) === 0 ? whole : { start: Math.max(0, size - Number(to)), end: size, whole: false };
  const start = Number(from);
  const end = Math.min(size, to === '' ? size : Number(to) + 1);
  return start < end ? { start, end, whole: false } : whole;
}

import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { pump, type WebRequest, type WebResponse } from './web-exchange.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
};

const MISSING = 'The front end is not built here. Run "node apps/dashboard-web/scripts/build.mjs", or install @coxswain/dashboard from npm.\n';

/** Files of the front end, read when asked for. Names under `assets/` hold their content's hash: browsers keep those for good. */
export async function serveStatic(root: string, request: WebRequest, response: WebResponse, path: string): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405, { allow: 'GET, HEAD' }).end();
  const relative = normalize(decodeURIComponent(path)).replace(/^\/+/, '');
  if (relative.startsWith('..') || relative.includes('\0')) return void response.writeHead(404).end();
  const wanted = relative === '' || relative === '.' ? 'index.html' : relative;
  // A page's address is the front end's to understand.
  const name = extname(wanted) === '' ? 'index.html' : wanted;
  const file = join(root, name);
  const zipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? '')) ? await sizeOf(`${file}.gz`) : undefined;
  const size = zipped ?? (await sizeOf(file));
  if (size === undefined) {
    if (name !== 'index.html') return void response.writeHead(404).end();
    return void response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8' }).end(MISSING);
  }
  response.writeHead(200, {
    'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
    'content-length': size,
    'cache-control': name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    ...(zipped === undefined ? {} : { 'content-encoding': 'gzip', vary: 'accept-encoding' }),
  });
  if (request.method === 'HEAD') return void response.end();
  const source = zipped === undefined ? file : `${file}.gz`;
  if (size < 65_536) return void response.end(await readFile(source));
  await pump(response, createReadStream(source));
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    const found = await stat(file);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}

import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { linkStages, rewriteHeaders, rewriteLink } from './rewrite-links.js';

const base = { prefix: '/api/v1/namespaces/n/pods/p/proxy', hosts: ['10.0.0.1:80', 'apiserver:6443'] };
const html = { 'content-type': 'text/html; charset=utf-8' };

async function through(chunks: readonly string[]): Promise<string> {
  let stream: Readable = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  for (const stage of linkStages(html, base)) stream = stream.pipe(stage);
  return text(stream);
}

describe('links of a proxied page', () => {
  it.each([
    ['/x?y#z', `${base.prefix}/x?y#z`],
    ['http://10.0.0.1:80/x', `${base.prefix}/x`],
    ['//apiserver:6443/', `${base.prefix}/`],
    [`${base.prefix}/x`, `${base.prefix}/x`],
    ['x/y', 'x/y'],
    ['#top', '#top'],
    ['https://example.com/x', 'https://example.com/x'],
    ['mailto:a@b', 'mailto:a@b'],
  ])('%s becomes %s', (link, expected) => expect(rewriteLink(link, base)).toBe(expected));

  it('rewrites attributes that are addresses, however the page is cut, and nothing else', async () => {
    const page = '<!DOCTYPE html><a class="/c" href="/x">é</a><img src=\'/i\'><form action=/f><script src="/s">"<a href=\\"/no\\">"</script><a HREF="/y">';
    const expected = page
      .replace('"/x"', `"${base.prefix}/x"`)
      .replace("'/i'", `'${base.prefix}/i'`)
      .replace('=/f', `=${base.prefix}/f`)
      .replace('"/s"', `"${base.prefix}/s"`)
      .replace('"/y"', `"${base.prefix}/y"`);
    expect(await through([page])).toBe(expected);
    expect(await through([...page.replace('é', 'e')])).toBe(expected.replace('é', 'e'));
  });

  it('unpacks and packs what is compressed, leaves alone what is no HTML', async () => {
    let stream: Readable = Readable.from([gzipSync('<a href="/x">')]);
    for (const stage of linkStages({ ...html, 'content-encoding': 'gzip' }, base)) stream = stream.pipe(stage);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(gunzipSync(Buffer.concat(chunks)).toString()).toBe(`<a href="${base.prefix}/x">`);
    expect(linkStages({ 'content-type': 'application/json' }, base)).toEqual([]);
  });

  it('keeps redirects behind the proxy and the CORS rules of the backend out', () =>
    expect(rewriteHeaders({ location: '/login', 'access-control-allow-origin': '*', etag: 'x' }, base)).toEqual({
      location: `${base.prefix}/login`,
      etag: 'x',
    }));
});

import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';
import { createDeflate, createGunzip, createGzip, createInflate } from 'node:zlib';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** Attributes that hold an address, by element. */
const LINKS: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['formaction', 'src', 'usemap'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};
/** What is between their tags is text, whatever it looks like. */
const RAW_TEXT = new Set(['script', 'style', 'textarea', 'title']);
const TAG = /<([a-zA-Z][a-zA-Z0-9]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/g;
const MAX_HELD = 65_536;
const CROSS_ORIGIN = /^access-control-allow-(credentials|headers|methods|origin)$/;

/** Where a proxied page lives: what its own paths have to be put behind. */
export interface LinkBase {
  /** `/api/v1/namespaces/n/pods/p/proxy`, no slash at the end. */
  readonly prefix: string;
  /** `host:port` of the backend and the host the caller asked: addresses with these are the page's own. */
  readonly hosts: readonly string[];
}

/** A path of the page's own server, behind the prefix; addresses elsewhere and relative ones as they are. */
export function rewriteLink(link: string, { prefix, hosts }: LinkBase): string {
  const parts = /^(?:https?:)?\/\/([^/?#]*)(.*)$/i.exec(link);
  const path = parts ? (parts[2] as string) : link;
  if ((parts && !hosts.includes(parts[1] as string)) || !path.startsWith('/')) return link;
  return path === prefix || path.startsWith(`${prefix}/`) ? path : prefix + path;
}

/** Headers of a proxied answer: a redirect stays behind the proxy; the backend's CORS rules are not the API server's. */
export function rewriteHeaders(headers: OutgoingHttpHeaders, base: LinkBase): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) if (!CROSS_ORIGIN.test(name)) out[name] = value;
  if (typeof out.location === 'string') out.location = rewriteLink(out.location, base);
  return out;
}

/** The stages an answer's body goes through; none for what is not HTML, or is packed in a way we do not know. */
export function linkStages(headers: IncomingHttpHeaders, base: LinkBase): Transform[] {
  if (!/^text\/html\b/i.test(headers['content-type'] ?? '')) return [];
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return [new LinkRewriter(base)];
  if (encoding === 'gzip') return [createGunzip(), new LinkRewriter(base), createGzip()];
  if (encoding === 'deflate') return [createInflate(), new LinkRewriter(base), createDeflate()];
  return [];
}

/** Rewrites the links of HTML on its way, tag by tag. Bytes are taken one by one (latin1), so every encoding survives. */
class LinkRewriter extends Transform {
  #held = '';
  #rawText = '';

  constructor(private readonly base: LinkBase) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const text = this.#held + chunk.toString('latin1');
    // A tag that is cut in two waits for its other half.
    const open = text.lastIndexOf('<');
    const cut = open >= 0 && !text.includes('>', open) && text.length - open < MAX_HELD ? open : text.length;
    this.#held = text.slice(cut);
    done(null, Buffer.from(this.#rewrite(text.slice(0, cut)), 'latin1'));
  }

  override _flush(done: TransformCallback): void {
    done(null, Buffer.from(this.#rewrite(this.#held), 'latin1'));
  }

  #rewrite(text: string): string {
    let out = '';
    let at = 0;
    while (at < text.length) {
      if (this.#rawText !== '') {
        const end = text.toLowerCase().indexOf(`</${this.#rawText}`, at);
        if (end < 0) return out + text.slice(at);
        out += text.slice(at, end);
        at = end;
        this.#rawText = '';
      }
      TAG.lastIndex = at;
      const tag = TAG.exec(text);
      if (!tag) break;
      const name = (tag[1] as string).toLowerCase();
      out += text.slice(at, tag.index) + `<${tag[1]}${this.#attributes(tag[2] as string, LINKS[name] ?? [])}>`;
      at = TAG.lastIndex;
      if (RAW_TEXT.has(name)) this.#rawText = name;
    }
    return out + text.slice(at);
  }

  #attributes(text: string, links: readonly string[]): string {
    if (links.length === 0) return text;
    return text.replace(/([a-zA-Z-]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/g, (all, name: string, equals: string, value: string) => {
      if (!links.includes(name.toLowerCase())) return all;
      const quote = value.startsWith('"') || value.startsWith("'") ? (value[0] as string) : '';
      return `${name}${equals}${quote}${rewriteLink(quote === '' ? value : value.slice(1, -1), this.base)}${quote}`;
    });
  }
}

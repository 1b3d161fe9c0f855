import type { Environment } from '@marcbachmann/cel-js';

class Url {
  constructor(
    readonly scheme: string,
    readonly host: string,
    readonly path: string,
    readonly query: string,
  ) {}
}

const ABSOLUTE = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/;
const PATH_ONLY = /^()()(\/[^?#]*)(?:\?([^#]*))?$/;

/** An absolute URL, or an absolute path, as Go's url.ParseRequestURI takes it. */
function parseUrl(text: string): Url | undefined {
  if (/[\x00-\x20\x7f]/.test(text) || /%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  const match = ABSOLUTE.exec(text) ?? PATH_ONLY.exec(text);
  if (!match) return undefined;
  const host = (match[2] ?? '').slice((match[2] ?? '').lastIndexOf('@') + 1);
  if (host.startsWith('[') ? !/^\[[^\]]+\](:\d*)?$/.test(host) : !/^[^:]*(:\d*)?$/.test(host)) return undefined;
  return new Url((match[1] ?? '').toLowerCase(), host, match[3] ?? '', match[4] ?? '');
}

/** Kubernetes' URL library. */
export function registerUrls(env: Environment): void {
  env.registerType('kubernetes.URL', Url);
  env.registerFunction('url(string): kubernetes.URL', (text: string) => {
    const url = parseUrl(text);
    if (!url) throw new Error(`URL parse error during conversion from string: ${text}`);
    return url;
  });
  env.registerFunction('isURL(string): bool', (text: string) => parseUrl(text) !== undefined);
  env.registerFunction('kubernetes.URL.getScheme(): string', (url: Url) => url.scheme);
  env.registerFunction('kubernetes.URL.getHost(): string', (url: Url) => url.host);
  env.registerFunction('kubernetes.URL.getHostname(): string', (url: Url) => url.host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1'));
  env.registerFunction('kubernetes.URL.getPort(): string', (url: Url) => /:(\d*)$/.exec(url.host)?.[1] ?? '');
  env.registerFunction('kubernetes.URL.getEscapedPath(): string', (url: Url) => url.path);
  env.registerFunction('kubernetes.URL.getQuery(): map<string, list<string>>', (url: Url) => {
    const parameters = new URLSearchParams(url.query);
    return new Map([...new Set(parameters.keys())].map((key) => [key, parameters.getAll(key)]));
  });
}

import http from 'node:http';
import https from 'node:https';

/** `warning`: a success that users are told of. */
export type ProbeOutcome = 'success' | 'warning' | 'failure' | 'unknown';

export interface ProbeAnswer {
  readonly outcome: ProbeOutcome;
  readonly message: string;
  /** TLS was asked for, and plain HTTP answered. */
  readonly plainHttp?: boolean;
}

export interface HttpProbeOptions {
  readonly host: string;
  readonly port: number;
  readonly path?: string | undefined;
  readonly scheme?: string | undefined;
  readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[] | undefined;
  readonly userAgent: string;
  readonly timeoutMs: number;
  /** Any answer is a success. */
  readonly anyStatus?: boolean;
}

const MAX_REDIRECTS = 10;
const MAX_BODY = 10 * 1024;

/** One GET: 200–399 is success; redirects are followed on the same host only, which others are warned of. Certificates are not checked. */
export function httpProbe(options: HttpProbeOptions): Promise<ProbeAnswer> {
  return get(httpUrl(options), options, MAX_REDIRECTS);
}

/** Where a request goes. */
export function httpUrl({ host, port, path = '', scheme = 'HTTP' }: HttpProbeOptions): URL {
  return new URL(`${scheme.toLowerCase()}://${host.includes(':') ? `[${host}]` : host}:${port}${path.startsWith('/') ? '' : '/'}${path}`);
}

function get(url: URL, options: HttpProbeOptions, redirects: number): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const fail = (error: Error) =>
      resolve({ outcome: 'failure', message: `Get "${url.href}": ${errorText(error, url)}`, ...(isPlainAnswer(error) ? { plainHttp: true } : {}) });
    // Scripts that answer by hand end their lines as they like, and Go's client takes it.
    const lenient = { insecureHTTPParser: true } as const;
    const common = { method: 'GET', headers: headersOf(options), agent: false, signal: AbortSignal.timeout(options.timeoutMs), ...lenient } as const;
    const request = url.protocol === 'https:' ? https.request(url, { ...common, rejectUnauthorized: false }) : http.request(url, common);
    request.once('error', fail);
    request.once('response', (response) => {
      const status = response.statusCode ?? 0;
      const location = response.headers.location;
      response.on('error', () => {});
      if (status >= 300 && status < 400 && !options.anyStatus) {
        const next = location === undefined ? undefined : new URL(location, url);
        if (next?.hostname !== url.hostname)
          return void bodyOf(response).then((body) => resolve({ outcome: 'warning', message: `Probe terminated redirects, Response body: ${body}` }));
        response.destroy();
        if (redirects === 0) return fail(new Error('stopped after 10 redirects'));
        return void get(next, options, redirects - 1).then(resolve, fail);
      }
      response.destroy();
      if (options.anyStatus || (status >= 200 && status < 400)) resolve({ outcome: 'success', message: '' });
      else resolve({ outcome: 'failure', message: `HTTP probe failed with statuscode: ${status}` });
    });
    request.end();
  });
}

/** The given headers, some more than once, over our own; an empty Accept or User-Agent takes that one away. */
function headersOf({ httpHeaders = [], userAgent }: HttpProbeOptions): Record<string, string | string[]> {
  const given: Record<string, string[]> = {};
  for (const { name, value } of httpHeaders) (given[name.toLowerCase()] ??= []).push(value);
  const headers: Record<string, string | string[]> = { accept: '*/*', 'user-agent': userAgent, connection: 'close' };
  for (const [name, values] of Object.entries(given)) {
    const [first = ''] = values;
    if (first === '' && (name === 'accept' || name === 'user-agent')) delete headers[name];
    else headers[name] = values.length > 1 && name !== 'host' ? values : first;
  }
  return headers;
}

/** The answer's text, cut where it gets long. */
async function bodyOf(response: http.IncomingMessage): Promise<string> {
  let body = '';
  try {
    for await (const chunk of response) {
      body += String(chunk);
      if (body.length >= MAX_BODY) break;
    }
  } catch {
    // What came until then will do.
  }
  return body.slice(0, MAX_BODY);
}

/** In the words of Go's HTTP client. */
function errorText(error: NodeJS.ErrnoException, url: URL): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
  if (error.code === 'ECONNREFUSED') return `dial tcp ${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}: connect: connection refused`;
  if (isPlainAnswer(error)) return 'http: server gave HTTP response to HTTPS client';
  return error.message;
}

/** Whether TLS was spoken to a server that speaks plain HTTP. */
function isPlainAnswer(error: NodeJS.ErrnoException): boolean {
  return /wrong version number|packet length too long|http request/i.test(error.message);
}

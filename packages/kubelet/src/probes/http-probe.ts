import http from 'node:http';
import https from 'node:https';

export type ProbeOutcome = 'success' | 'failure' | 'unknown';

export interface ProbeAnswer {
  readonly outcome: ProbeOutcome;
  readonly message: string;
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

/** One GET: 200–399 is success; redirects are followed on the same host only. Certificates are not checked. */
export function httpProbe(options: HttpProbeOptions): Promise<ProbeAnswer> {
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const path = options.path?.startsWith('/') ? options.path : `/${options.path ?? ''}`;
  const url = new URL(`${(options.scheme ?? 'HTTP').toLowerCase()}://${host}:${options.port}${path}`);
  return get(url, options, MAX_REDIRECTS);
}

function get(url: URL, options: HttpProbeOptions, redirects: number): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const fail = (error: Error) => resolve({ outcome: 'failure', message: `Get "${url.href}": ${error.message}` });
    const headers: Record<string, string> = { accept: '*/*', 'user-agent': options.userAgent, connection: 'close' };
    for (const { name, value } of options.httpHeaders ?? []) {
      const key = name.toLowerCase();
      if (value === '' && (key === 'accept' || key === 'user-agent')) delete headers[key];
      else headers[key] = value;
    }
    const common = { method: 'GET', headers, agent: false, signal: AbortSignal.timeout(options.timeoutMs) } as const;
    const request = url.protocol === 'https:' ? https.request(url, { ...common, rejectUnauthorized: false }) : http.request(url, common);
    request.once('error', (error) =>
      fail(
        error.name === 'AbortError' || error.name === 'TimeoutError'
          ? new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')
          : error,
      ),
    );
    request.once('response', (response) => {
      const status = response.statusCode ?? 0;
      const location = response.headers.location;
      response.on('error', () => {});
      response.destroy();
      if (status >= 300 && status < 400 && location && !options.anyStatus) {
        const next = new URL(location, url);
        if (next.hostname !== url.hostname) return resolve({ outcome: 'success', message: `Probe terminated redirects, Response body: ` });
        if (redirects === 0) return fail(new Error('stopped after 10 redirects'));
        get(next, options, redirects - 1).then(resolve, fail);
        return;
      }
      if (options.anyStatus || (status >= 200 && status < 400)) resolve({ outcome: 'success', message: '' });
      else resolve({ outcome: 'failure', message: `HTTP probe failed with statuscode: ${status}` });
    });
    request.end();
  });
}

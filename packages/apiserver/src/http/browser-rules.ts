import type { ApiRequest, ApiResponse } from '../request/api-request.js';

export interface BrowserRules {
  /** Whose pages may use the API. */
  readonly origins: readonly RegExp[];
  /** Of the Strict-Transport-Security header. */
  readonly hsts: readonly string[];
}

type Handle = (request: ApiRequest) => Promise<ApiResponse> | ApiResponse;

const METHODS = 'POST, GET, OPTIONS, PUT, DELETE, PATCH';
const HEADERS = 'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since';

/** What browsers are told with every answer: to come over TLS only, and whose pages may read it. Their preflight requests are answered here. */
export function browserRules({ origins, hsts }: BrowserRules, handle: Handle): Handle {
  if (origins.length === 0 && hsts.length === 0) return handle;
  const transport: Readonly<Record<string, string>> = hsts.length > 0 ? { 'Strict-Transport-Security': hsts.join('; ') } : {};
  return (request) => {
    const { origin } = request.headers;
    const allowed = typeof origin === 'string' && origins.some((pattern) => pattern.test(origin));
    const headers: Readonly<Record<string, string>> = {
      ...transport,
      ...(allowed
        ? {
            'Access-Control-Allow-Origin': origin,
            'Access-Control-Allow-Methods': METHODS,
            'Access-Control-Allow-Headers': HEADERS,
            'Access-Control-Expose-Headers': 'Date',
            'Access-Control-Allow-Credentials': 'true',
          }
        : {}),
    };
    // Browsers ask without credentials whether they may.
    if (allowed && request.method === 'OPTIONS') return { type: 'bytes', status: 204, contentType: '', body: Buffer.alloc(0), headers };
    const answer = handle(request);
    return answer instanceof Promise ? answer.then((response) => withHeaders(response, headers)) : withHeaders(answer, headers);
  };
}

function withHeaders(response: ApiResponse, headers: Readonly<Record<string, string>>): ApiResponse {
  return response.type === 'handled' ? response : { ...response, headers: { ...response.headers, ...headers } };
}

import { statusError } from './status-error';

let csrf = '';
let onSignedOut = () => {};

export function setSession(token: string, signedOut: () => void): void {
  csrf = token;
  onSignedOut = signedOut;
}

export interface RequestOptions {
  readonly method?: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string;
  /** `bytes=-1000`: the end. */
  readonly range?: string;
  /** Doing it twice does no harm: sent again, like a read, when its connection broke. */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal;
}

/** A request to the dashboard's own origin. Rejects with `StatusError`. */
export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', accept = 'application/json', contentType, body, range, signal, repeatable = method === 'GET' } = options;
  const headers: Record<string, string> = { accept };
  if (range) headers['range'] = range;
  if (contentType) headers['content-type'] = contentType;
  if (method !== 'GET') headers['x-coxswain-csrf'] = csrf;
  const init: RequestInit = { method, headers, body: body ?? null, signal: signal ?? null, credentials: 'same-origin', cache: 'no-store' };
  const response = await send(path, init, repeatable);
  if (response.ok) return response;
  const error = await statusError(response);
  if (response.status === 401 && path !== '/session') onSignedOut();
  throw error;
}

const TRIES = 3;

/** Whether a connection broke, or could not be made: a laptop that changes its network, say. */
export const isBroken = (error: unknown) => error instanceof TypeError;

async function send(path: string, init: RequestInit, repeatable: boolean): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetch(path, init);
    } catch (error) {
      if (init.signal?.aborted || !isBroken(error)) throw error;
      if (!repeatable) throw new TypeError('the connection broke before the answer: whether it was done is not known', { cause: error });
      if (attempt === TRIES) throw new TypeError('the dashboard cannot be reached', { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
    }
  }
}

export async function json<T>(path: string, options: RequestOptions = {}): Promise<T> {
  return (await (await request(path, options)).json()) as T;
}

/** A path of the API server. */
export const k8s = (path: string) => `/k8s${path}`;

/** Complete lines of a body as they come. */
export async function* lines(response: Response): AsyncGenerator<string[]> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const parts = (rest + value).split('\n');
      rest = parts.pop() ?? '';
      if (parts.length > 0) yield parts;
    }
    if (rest !== '') yield [rest];
  } finally {
    reader.cancel().catch(() => {});
  }
}

export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

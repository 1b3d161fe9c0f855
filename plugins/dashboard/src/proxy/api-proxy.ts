import { TransportError } from '@coxswain/client';
import type { Session } from '../session/session-store.js';
import { pump, readBody, sendJson, WebError, type WebRequest, type WebResponse } from '../server/web-exchange.js';
import { forwardedHeaders, returnedHeaders } from './forwarded-headers.js';

/** The API server takes 3 MiB. */
const MAX_BODY = 4 * 1024 * 1024;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** Pass a request on as the session's user; the answer, watch or log follows as it comes, no faster than it is read. */
export async function proxyRequest(session: Session, request: WebRequest, response: WebResponse, path: string, query: string): Promise<void> {
  const method = request.method ?? 'GET';
  if (!METHODS.has(method)) throw new WebError(405, `${method} is not passed on`);
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the browser went away')));
  const signal = AbortSignal.any([gone.signal, session.ended]);
  const hasBody = method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
  const body = hasBody ? await readBody(request, MAX_BODY) : undefined;
  try {
    const answer = await session.transport.stream({
      method: method as Method,
      path,
      query,
      headers: forwardedHeaders(request.headers),
      ...(body && body.length > 0 ? { body } : {}),
      signal,
    });
    response.writeHead(answer.status, returnedHeaders(answer.headers));
    await pump(response, answer.chunks);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (response.headersSent) return void response.destroy();
    if (session.ended.aborted) return sendJson(response, 401, failure(401, 'Unauthorized', 'the session has ended'));
    if (!(error instanceof TransportError)) throw error;
    sendJson(response, 502, failure(502, 'ServiceUnavailable', `the API server cannot be reached: ${error.message}`));
  }
}

/** An error as the API server words its own, so that the front end reads one kind only. */
export function failure(code: number, reason: string, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

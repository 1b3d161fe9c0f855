import { request as httpsRequest } from 'node:https';
import type { KubeObject } from '@coxswain/api';

/** An API server as a test reaches it. */
export interface ApiTarget {
  /** `https://127.0.0.1:6443` */
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  /** Sent as a bearer token. */
  readonly token?: string;
  /** Client certificate, PEM. */
  readonly cert?: string;
  readonly key?: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly bytes: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every kind
  readonly json: any;
}

export interface ApiWatchLine {
  readonly type: string;
  readonly object: KubeObject;
}

/** One request with a whole answer. */
export function call(target: ApiTarget, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(new URL(path, target.url), {
      method,
      agent: false,
      ca: target.ca,
      ...(target.cert ? { cert: target.cert, key: target.key } : {}),
      headers: {
        ...(target.token ? { authorization: `Bearer ${target.token}` } : {}),
        ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
        ...headers,
      },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const received = bytes.toString();
        resolve({
          bytes,
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          text: received,
          get json() {
            return JSON.parse(received);
          },
        });
      });
    });
    outgoing.end(text);
  });
}

/** Events of a watch until `enough` says so, or the server ends it. */
export function watchUntil(target: ApiTarget, path: string, enough: (events: readonly ApiWatchLine[]) => boolean): Promise<readonly ApiWatchLine[]> {
  return new Promise((resolve, reject) => {
    const events: ApiWatchLine[] = [];
    const outgoing = httpsRequest(new URL(path, target.url), {
      agent: false,
      ca: target.ca,
      ...(target.token ? { headers: { authorization: `Bearer ${target.token}` } } : {}),
    });
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      let rest = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) events.push(JSON.parse(line) as ApiWatchLine);
        if (!enough(events)) return;
        resolve(events);
        outgoing.destroy();
      });
      answer.on('end', () => resolve(events));
      answer.on('error', () => resolve(events));
    });
    outgoing.end();
  });
}

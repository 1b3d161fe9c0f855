import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ApiError } from '@coxswain/apimachinery';
import { acceptWebSocket, binaryMessage, goodbye, textMessage } from '../http/websocket.js';
import type { ApiRequest, ApiResponse } from '../request/api-request.js';
import type { RawExchange } from '../request/raw-exchange.js';
import type { Backend } from './backend.js';
import { textOf } from './pass-through.js';

/** How a stream may be cut into messages; what a client that names none gets is binary. */
const ENCODERS: Readonly<Record<string, (chunk: Buffer) => Buffer>> = {
  'binary.k8s.io': binaryMessage,
  'base64.binary.k8s.io': (chunk) => textMessage(chunk.toString('base64')),
};

/** What a backend sends, as the messages of a WebSocket that the client only reads. `refusal` is for an answer that is no success. */
export async function readWebSocket(
  request: ApiRequest,
  raw: RawExchange,
  client: Duplex,
  backend: Backend,
  refusal: (code: number, text: string) => ApiError,
): Promise<ApiResponse> {
  const answer = await get(backend, request.signal);
  const status = answer.statusCode ?? 502;
  if (status < 200 || status > 206) throw refusal(status, await textOf(answer));
  const protocol = String(raw.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .find((name) => name in ENCODERS);
  const encode = ENCODERS[protocol ?? ''] ?? binaryMessage;
  acceptWebSocket(raw.headers, client, protocol);
  // The first message is empty: a client knows by it that the stream is there although nothing was logged yet.
  client.write(encode(Buffer.alloc(0)));
  client.once('close', () => answer.destroy());
  client.on('error', () => answer.destroy());
  void (async () => {
    try {
      for await (const chunk of answer) {
        if (!client.write(encode(chunk as Buffer))) await new Promise((resolve) => client.once('drain', resolve).once('close', resolve));
      }
      client.end(goodbye);
    } catch {
      client.destroy();
    }
  })();
  return { type: 'handled', status: 101 };
}

function get({ scheme, host, port, path, tls }: Backend, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { host, port, path, method: 'GET', headers: { accept: '*/*', host: `${host}:${port}` }, signal, agent: false as const };
    const outgoing = scheme === 'https' ? requestHttps({ ...options, ...tls }) : requestHttp(options);
    outgoing.on('error', reject);
    outgoing.on('response', resolve);
    outgoing.end();
  });
}

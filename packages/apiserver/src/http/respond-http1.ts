import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '@coxswain/sdk';
import { inOnePiece } from '../request/api-request.js';
import type { ApiResponse } from '../request/api-request.js';
import { ListBody } from '../request/list-body.js';
import { compress, worthCompressing } from './compress.js';
import { chunkedFraming } from './framing.js';
import type { Http1Request } from './http1-request.js';
import { sendList } from './send-list.js';
import { HttpStreamSink } from './stream-sink.js';
import { acceptWebSocket, binaryMessages, goodbye, isWebSocket, textMessages } from './websocket.js';

const LARGE = 64 * 1024;
const CACHE_CONTROL = 'no-cache, private';

export function respondHttp1(answer: ApiResponse, request: Http1Request, clock: Clock): void {
  const response = request.response as ServerResponse;
  if (answer.type === 'handled' || response.destroyed) return;
  const headers: (string | string[])[] = [];
  for (const name in answer.headers) headers.push(name, answer.headers[name] as string | string[]);
  if (!answer.headers?.['cache-control']) headers.push('Cache-Control', CACHE_CONTROL);
  if (answer.contentType !== '') headers.push('Content-Type', answer.contentType);
  // An unread body (a refused request) would be taken for the next request.
  if (!request.message.complete && answer.status >= 400) {
    headers.push('Connection', 'close');
    request.message.resume();
  }
  if (answer.type === 'stream') {
    headers.push('Transfer-Encoding', 'chunked');
    response.writeHead(answer.status, headers as string[]);
    response.flushHeaders();
    answer.start(new HttpStreamSink(response.socket as Duplex, response, chunkedFraming, clock));
    return;
  }
  if (worthCompressing(answer.body.length, request.message.headers['accept-encoding']) && !answer.headers?.['content-encoding']) {
    void compress(inOnePiece(answer).body).then((body) => {
      headers.push('Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding');
      send(response, answer.status, headers, body, request.method);
    });
    return;
  }
  send(response, answer.status, headers, answer.body, request.method);
}

function send(response: ServerResponse, status: number, headers: (string | string[])[], body: Buffer | ListBody, method: string): void {
  if (response.destroyed) return;
  if (status !== 304 && status !== 204) headers.push('Content-Length', String(body.length));
  response.writeHead(status, headers as string[]);
  // Together with its head a body is copied once more before it is encrypted: not worth it for large ones.
  if (body.length > LARGE) response.flushHeaders();
  if (method === 'HEAD' || body.length === 0) response.end();
  else if (body instanceof ListBody) sendList(response, body);
  else response.end(body);
}

/** The answer to an upgrade nobody took over: events go over a WebSocket, anything else is a plain answer, and the end. */
export function respondUpgrade(response: ApiResponse, request: Http1Request, socket: Duplex, clock: Clock): void {
  const answer = inOnePiece(response);
  if (answer.type === 'handled') return;
  if (answer.type === 'stream') {
    const { headers } = request.message;
    if (!isWebSocket(headers)) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    acceptWebSocket(headers, socket);
    answer.start(new HttpStreamSink(socket, socket, answer.contentType.includes('protobuf') ? binaryMessages : textMessages, clock, goodbye));
    return;
  }
  const head = `HTTP/1.1 ${answer.status} ${answer.status === 403 ? 'Forbidden' : 'Error'}\r\nContent-Type: ${answer.contentType}\r\nContent-Length: ${answer.body.length}\r\nConnection: close\r\n\r\n`;
  socket.end(Buffer.concat([Buffer.from(head), answer.body]));
}

import type { OutgoingHttpHeaders } from 'node:http2';
import type { Clock } from '@coxswain/sdk';
import { inOnePiece } from '../request/api-request.js';
import type { ApiResponse } from '../request/api-request.js';
import { ListBody } from '../request/list-body.js';
import { rawFraming } from '../storage/watch-groups.js';
import { compress, worthCompressing } from './compress.js';
import type { Http2Request } from './http2-request.js';
import { sendList } from './send-list.js';
import { HttpStreamSink } from './stream-sink.js';

export function respondHttp2(answer: ApiResponse, request: Http2Request, clock: Clock): void {
  const { stream } = request;
  if (answer.type === 'handled' || stream.destroyed || stream.closed) return;
  const headers: OutgoingHttpHeaders = { ':status': answer.status, 'cache-control': 'no-cache, private', ...answer.headers };
  if (answer.contentType !== '') headers['content-type'] = answer.contentType;
  if (answer.type === 'stream') {
    stream.respond(headers);
    answer.start(new HttpStreamSink(stream, stream, rawFraming, clock));
    return;
  }
  const send = (body: Buffer | ListBody) => {
    if (stream.destroyed || stream.closed) return;
    headers['content-length'] = body.length;
    const empty = request.method === 'HEAD' || body.length === 0;
    stream.respond(headers, { endStream: empty });
    if (empty) return;
    if (body instanceof ListBody) sendList(stream, body);
    else stream.end(body);
  };
  if (worthCompressing(answer.body.length, request.headers['accept-encoding']) && !answer.headers?.['content-encoding']) {
    headers['content-encoding'] = 'gzip';
    headers.vary = 'accept-encoding';
    void compress(inOnePiece(answer).body).then(send);
    return;
  }
  send(answer.body);
}

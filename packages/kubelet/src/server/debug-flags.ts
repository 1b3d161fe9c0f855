import { text } from 'node:stream/consumers';
import type { Call } from './handler.js';
import { HttpError } from './http-error.js';

/** `PUT /debug/flags/v`: how much is logged from now on, as upstream's `--v`. */
export async function debugFlags({ request, response, parts }: Call, setVerbosity: (level: number) => void): Promise<void> {
  if (parts.length !== 2 || parts[1] !== 'v') throw new HttpError(404, '404 page not found');
  if (request.method !== 'PUT') throw new HttpError(406, 'unsupported http method');
  const asked = await text(request);
  if (!/^[-+]?\d{1,9}$/.test(asked))
    throw new HttpError(400, `failed set klog.logging.verbosity ${asked}: strconv.ParseInt: parsing ${JSON.stringify(asked)}: invalid syntax`);
  setVerbosity(Number(asked));
  response.writeHead(200, { 'content-type': 'text/plain' }).end(`successfully set klog.logging.verbosity to ${asked}`);
}

import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions, request as httpsRequest } from 'node:https';
import type { ExtenderConfig } from './extender-config.js';

/** An answer longer than this is no answer: five times a NodeList of 5,000 nodes. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Sends JSON to one server and reads JSON back; connections stay open between calls. Answers other than 200, and late ones, reject. */
export class JsonPoster {
  readonly #https: boolean;
  readonly #agent: HttpAgent | HttpsAgent;

  /** Reads certificates: throws when a file is missing. */
  constructor(private readonly config: Pick<ExtenderConfig, 'urlPrefix' | 'enableHTTPS' | 'tls' | 'timeoutMs'>) {
    this.#https = new URL(config.urlPrefix).protocol === 'https:';
    this.#agent = this.#https ? new HttpsAgent({ keepAlive: true, ...tlsOptions(config) }) : new HttpAgent({ keepAlive: true });
  }

  async post(verb: string, body: object, signal: AbortSignal): Promise<unknown> {
    const { urlPrefix, timeoutMs } = this.config;
    const url = `${urlPrefix.replace(/\/+$/, '')}/${verb}`;
    // The whole of it, the body of the answer included, has this much time.
    const timeout = AbortSignal.timeout(timeoutMs);
    const text = JSON.stringify(body);
    const options: RequestOptions = {
      method: 'POST',
      agent: this.#agent,
      signal: AbortSignal.any([signal, timeout]),
      headers: { 'content-type': 'application/json', accept: 'application/json', 'content-length': Buffer.byteLength(text) },
    };
    try {
      const answer = await send(this.#https ? httpsRequest(url, options) : httpRequest(url, options), text);
      if (answer.statusCode !== 200) {
        answer.destroy();
        throw new Error(`failed ${verb} with extender at URL ${url}, code ${answer.statusCode}`);
      }
      return JSON.parse(await read(answer)) as unknown;
    } catch (error) {
      if (timeout.aborted) throw new Error(`Post "${url}": no answer within ${timeoutMs} ms`, { cause: error });
      if (error instanceof SyntaxError) throw new Error(`Post "${url}": the answer is not JSON: ${error.message}`, { cause: error });
      throw error;
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

function send(request: ClientRequest, text: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('error', reject).on('response', resolve).end(text);
  });
}

async function read(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BYTES) throw new Error(`the answer is longer than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** As upstream: with `enableHTTPS` and no authority to check against, any certificate will do. */
function tlsOptions({ enableHTTPS, tls }: Pick<ExtenderConfig, 'enableHTTPS' | 'tls'>): AgentOptions {
  const pem = (data: string | undefined, file: string | undefined) => data ?? (file === undefined ? undefined : readFileSync(file, 'utf8'));
  const ca = pem(tls.caData, tls.caFile);
  const cert = pem(tls.certData, tls.certFile);
  const key = pem(tls.keyData, tls.keyFile);
  return {
    rejectUnauthorized: !(tls.insecure || (enableHTTPS && ca === undefined)),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  };
}

import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

/** Answers a call; `undefined`: never. */
export type Answer = (args: never) => unknown;

/** An extender for tests: by verb what it answers, and what it was asked. Text is sent as it is, all else as JSON. */
export interface ExtenderServer extends AsyncDisposable {
  readonly url: string;
  readonly asked: { readonly verb: string; readonly body: Record<string, unknown> }[];
}

export async function startExtender(verbs: Readonly<Record<string, Answer>>, tls?: ServerOptions): Promise<ExtenderServer> {
  const asked: ExtenderServer['asked'] = [];
  const listener: RequestListener = (request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const verb = (request.url ?? '').slice('/api/'.length);
      const body = JSON.parse(text) as Record<string, unknown>;
      asked.push({ verb, body });
      const answer = verbs[verb];
      if (!answer) return void response.writeHead(404).end();
      const said = answer(body as never);
      if (said === undefined) return;
      response.writeHead(200, { 'content-type': 'application/json' }).end(typeof said === 'string' ? said : JSON.stringify(said));
    });
  };
  const server = tls ? createHttpsServer(tls, listener) : createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/api/`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

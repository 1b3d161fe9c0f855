import { createServer } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { servingCertificate } from './test-certificates.js';

export interface WebhookCall {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into reviews of every kind
  readonly body: any;
}

export interface TestWebhook extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Base64 of PEM, as configurations carry it. */
  readonly caBundle: string;
  readonly calls: WebhookCall[];
}

/** What to answer; a text goes out as it is, a number is a status alone, undefined never comes. */
export type Answerer = (call: WebhookCall) => object | string | number | undefined;

/** An HTTPS server on loopback; its certificate is also for `hook.default.svc`. */
export async function startWebhook(answer: Answerer): Promise<TestWebhook> {
  const { ca, cert, key } = await servingCertificate('hook.default.svc', 'localhost');
  const calls: WebhookCall[] = [];
  const server = createServer({ cert, key }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const call: WebhookCall = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    calls.push(call);
    const out = answer(call);
    if (out === undefined) return;
    if (typeof out === 'number') {
      response.writeHead(out).end();
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(typeof out === 'string' ? out : JSON.stringify(out));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    caBundle: Buffer.from(ca).toString('base64'),
    calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An AdmissionReview that answers the one of the call. */
export function reviewed({ body }: WebhookCall, response: object): object {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: body.request.uid, allowed: true, ...response } };
}

export const jsonPatch = (operations: readonly object[]): object => ({
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});

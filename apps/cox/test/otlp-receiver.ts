import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface ExportLogsServiceRequest {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeLogs: readonly { readonly logRecords: readonly { readonly timeUnixNano: string; readonly body: { readonly stringValue: string } }[] }[];
  }[];
}

export interface ReceivedLog {
  readonly text: string;
  /** Attributes of its resource. */
  readonly resource: Readonly<Record<string, string | undefined>>;
}

/** As much of an OpenTelemetry collector as takes logs: OTLP/HTTP with JSON on loopback, at `/v1/logs`. */
export async function otlpReceiver(): Promise<AsyncDisposable & { readonly endpoint: string; readonly logs: readonly ReceivedLog[] }> {
  const logs: ReceivedLog[] = [];
  const server = createServer((request, response) => {
    if (request.method !== 'POST' || request.url !== '/v1/logs' || request.headers['content-type'] !== 'application/json') {
      response.writeHead(404).end();
      return;
    }
    void json(request).then((body) => {
      for (const { resource, scopeLogs } of (body as ExportLogsServiceRequest).resourceLogs) {
        const of = Object.fromEntries(resource.attributes.map(({ key, value }) => [key, value.stringValue]));
        for (const { logRecords } of scopeLogs) logs.push(...logRecords.map((record) => ({ text: record.body.stringValue, resource: of })));
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    logs,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

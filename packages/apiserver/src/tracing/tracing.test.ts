import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';
import { readTraceParent } from './span.js';
import { parseTracingConfig } from './tracing-config.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

/** A collector that keeps the messages it is sent. */
async function startCollector() {
  const messages: Buffer[] = [];
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    void buffer(stream).then((body) => {
      expect(headers[':path']).toBe('/opentelemetry.proto.collector.trace.v1.TraceService/Export');
      expect(body.readUInt32BE(1)).toBe(body.length - 5);
      messages.push(body.subarray(5));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { messages, server, address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } };
}

/** What is sent until the server stops, as one. */
async function traced(samplingRatePerMillion: number, token: string): Promise<Buffer> {
  const { messages, server, address } = await startCollector();
  const api = await startTestServer({ tracing: { address, samplingRatePerMillion }, hostname: 'one' });
  const path = '/api/v1/namespaces/default/configmaps/none?x=y';
  await api.call('GET', path, undefined, { token, headers: { traceparent: `00-${TRACE}-${PARENT}-01` } });
  await api.server.stop(AbortSignal.timeout(5000));
  await api[Symbol.asyncDispose]();
  server.close();
  return Buffer.concat(messages);
}

it('requests whose privileged callers trace them are told to the collector, as parts of their traces', async () => {
  const sent = await traced(0, 'admin');
  const text = sent.toString('latin1');
  expect(text).toContain('GET /api/v1/namespaces/{:namespace}/configmaps/{:name}');
  for (const part of ['service.name', 'apiserver', 'url.path', '/api/v1/namespaces/default/configmaps/none', 'audit-id']) expect(text).toContain(part);
  // trace_id = 1, parent_span_id = 4
  expect(sent.includes(Buffer.from(`0a10${TRACE}`, 'hex'))).toBe(true);
  expect(sent.includes(Buffer.from(`2208${PARENT}`, 'hex'))).toBe(true);
});

it('nobody else decides what is traced, and what is has a trace of its own', async () => {
  expect(await traced(0, 'bob')).toHaveLength(0);
  const sent = await traced(1_000_000, 'bob');
  // A link = 13, with the trace that was claimed.
  expect(sent.includes(Buffer.from(`6a1c0a10${TRACE}1208${PARENT}`, 'hex'))).toBe(true);
  expect(sent.includes(Buffer.from(`2208${PARENT}`, 'hex'))).toBe(false);
});

it('a collector that is not there holds nobody up', async () => {
  await using api = await startTestServer({ tracing: { address: { host: '127.0.0.1', port: 1 }, samplingRatePerMillion: 1_000_000 } });
  expect((await api.call('GET', '/api/v1/namespaces/default')).status).toBe(200);
});

it('reads a TracingConfiguration', () => {
  const of = (more: string) => parseTracingConfig(`apiVersion: apiserver.config.k8s.io/v1\nkind: TracingConfiguration\n${more}`);
  expect(of('')).toEqual({ address: { host: 'localhost', port: 4317 }, samplingRatePerMillion: 0 });
  expect(of('endpoint: "[::1]:4000"\nsamplingRatePerMillion: 7')).toEqual({ address: { host: '::1', port: 4000 }, samplingRatePerMillion: 7 });
  expect(of('endpoint: unix:///run/otel.sock')).toMatchObject({ address: { path: '/run/otel.sock' } });
  expect(() => of('endpoint: http://a:1')).toThrow('unsupported scheme: http');
  expect(() => of('samplingRatePerMillion: 1000001')).toThrow('samplingRatePerMillion: Invalid value: 1000001');
  expect(() => of('rate: 1')).toThrow('unknown field "rate"');
  expect(() => parseTracingConfig('kind: Other')).toThrow('not a TracingConfiguration');
});

it('reads traceparent', () => {
  expect(readTraceParent(`00-${TRACE}-${PARENT}-00`)).toMatchObject({ sampled: false });
  for (const wrong of [undefined, '', `00-${'0'.repeat(32)}-${PARENT}-01`, `01-${TRACE}-${PARENT}-01`, `00-${TRACE}-01`])
    expect(readTraceParent(wrong)).toBeUndefined();
});

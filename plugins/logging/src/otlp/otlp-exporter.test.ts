import { silentLogger, systemClock, systemRandom, type Clock } from '@coxswain/sdk';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { LogEntry } from '../log-entry.js';
import { ExportQueue } from './export-queue.js';
import { OtlpExporter } from './otlp-exporter.js';
import { unixNanos } from './otlp-payload.js';

const entry = (text: string): LogEntry => ({
  source: { namespace: 'default', pod: 'web', podUid: 'u', container: 'main', labels: { app: 'web' } },
  time: '2026-01-31T12:00:00.123456789Z',
  stream: 'stderr',
  text,
});

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A collector on loopback that answers with these codes, then 200. */
async function collector(...codes: number[]): Promise<{ endpoint: string; bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const code = codes.shift() ?? 200;
      if (code === 200) bodies.push(body);
      response.writeHead(code).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`, bodies };
}

/** Waits as if they were a thousand times shorter; remembers them. */
function fast(waits: number[]): Clock {
  return {
    ...systemClock,
    setTimeout: (fn, ms) => systemClock.setTimeout(fn, ms / 1000),
    sleep: (ms, signal) => {
      waits.push(ms);
      return systemClock.sleep(ms / 1000, signal);
    },
  };
}

async function run(codes: number[], texts: string[]) {
  const { endpoint, bodies } = await collector(...codes);
  const waits: number[] = [];
  const queue = new ExportQueue(1e6, 'drop-oldest');
  const exporter = new OtlpExporter({
    endpoint,
    headers: {},
    queue,
    nodeName: 'n1',
    clusterName: 'c',
    clock: fast(waits),
    random: systemRandom,
    logger: silentLogger,
  });
  exporter.push(texts.map(entry));
  const end = new AbortController();
  const running = exporter.run(end.signal);
  await expect.poll(() => exporter.sent + exporter.refused, { timeout: 10_000 }).toBe(texts.length);
  end.abort();
  await running;
  return { exporter, bodies, waits };
}

test('entries arrive as OTLP JSON, named by the conventions', async () => {
  const { bodies } = await run([], ['one', 'two']);
  const { resourceLogs } = JSON.parse(bodies[0] as string);
  expect(resourceLogs).toHaveLength(1);
  expect(resourceLogs[0].resource.attributes).toContainEqual({ key: 'k8s.pod.name', value: { stringValue: 'web' } });
  expect(resourceLogs[0].scopeLogs[0].logRecords).toEqual([
    { timeUnixNano: '1769860800123456789', body: { stringValue: 'one' }, attributes: [{ key: 'log.iostream', value: { stringValue: 'stderr' } }] },
    { timeUnixNano: '1769860800123456789', body: { stringValue: 'two' }, attributes: [{ key: 'log.iostream', value: { stringValue: 'stderr' } }] },
  ]);
});

test('a collector that is busy is tried again, longer and longer; one that refuses is not', async () => {
  const busy = await run([503, 429, 502], ['one']);
  expect(busy.exporter.sent).toBe(1);
  expect(busy.waits).toHaveLength(3);
  expect(busy.waits[2]).toBeGreaterThan(busy.waits[0] as number);
  const refused = await run([400], ['one']);
  expect(refused.exporter).toMatchObject({ sent: 0, refused: 1 });
  expect(refused.waits).toEqual([]);
});

test('a full buffer drops what its policy names, and counts it', () => {
  for (const [policy, kept] of [
    ['drop-oldest', ['two', 'three']],
    ['drop-newest', ['one', 'two']],
  ] as const) {
    const queue = new ExportQueue(410, policy);
    queue.push(['one', 'two', 'three'].map(entry));
    expect(queue.dropped).toBe(1);
    expect(queue.take(10).map((e) => e.text)).toEqual(kept);
    expect(queue.bytes).toBe(0);
  }
});

test('times keep their nanoseconds', () => {
  expect(unixNanos('2026-01-31T12:00:00Z')).toBe('1769860800000000000');
  expect(unixNanos('2026-01-31T13:00:00.5+01:00')).toBe('1769860800500000000');
});

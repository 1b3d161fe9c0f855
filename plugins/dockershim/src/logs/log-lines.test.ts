import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { logLine, terminalFrames } from './log-lines.js';

const TIME = '2026-01-02T03:04:05.678900000Z';

test('a line of the engine is a line of CRI, and a piece of one is partial', () => {
  const line = (text: string) => logLine({ stream: 'stderr', bytes: Buffer.from(`${TIME} ${text}`) }).bytes.toString();
  expect(line('hello world\n')).toBe(`${TIME} stderr F hello world\n`);
  expect(line('\n')).toBe(`${TIME} stderr F \n`);
  expect(line('no end')).toBe(`${TIME} stderr P no end\n`);
});

test("a terminal's lines are found, also those that the engine has cut", async () => {
  const long = 'x'.repeat(16 * 1024);
  const text = Buffer.from(`${TIME} short\r\n${TIME} ${long}${TIME} rest\n${TIME} last`);
  for (const size of [7, 1000, text.length]) {
    const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.subarray(i * size, (i + 1) * size));
    const out: string[] = [];
    for await (const some of terminalFrames(Readable.from(chunks))) out.push(...some.map((f) => logLine(f).bytes.toString()));
    expect(out).toEqual([`${TIME} stdout F short\r\n`, `${TIME} stdout P ${long}\n`, `${TIME} stdout F rest\n`, `${TIME} stdout P last\n`]);
  }
});

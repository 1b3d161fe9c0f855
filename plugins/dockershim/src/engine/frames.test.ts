import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type Frame, frames } from './frames.js';

const frame = (stream: number, text: string) => {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
};

async function read(chunks: readonly Buffer[]): Promise<string[]> {
  const out: Frame[] = [];
  for await (const some of frames(Readable.from(chunks))) out.push(...some);
  return out.map(({ stream, bytes }) => `${stream} ${bytes}`);
}

const all = Buffer.concat([frame(1, 'one\n'), frame(2, 'zwei\n'), frame(1, ''), frame(1, 'drei')]);
const expected = ['stdout one\n', 'stderr zwei\n', 'stdout ', 'stdout drei'];

test('pieces come whole, however the connection cuts them', async () => {
  for (let size = 1; size <= all.length; size++) {
    const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
    expect(await read(chunks)).toEqual(expected);
  }
});

test('a piece that was cut off at the end is left out', async () => {
  expect(await read([all.subarray(0, -1)])).toEqual(expected.slice(0, -1));
});

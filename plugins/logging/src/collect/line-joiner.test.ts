import { expect, test } from 'vitest';
import { LineJoiner } from './line-joiner.js';

const at = '2026-01-31T12:00:00.000000001Z';

test('parts of a long line are joined, by stream, and resuming begins at the first part of what is open', () => {
  const joiner = new LineJoiner(100);
  const first = `${at} stdout P one `;
  const log = `${first}\n${at} stderr F other\n${at} stdout P two `;
  const lines = [...joiner.push(Buffer.from(log))];
  expect(lines).toEqual([{ time: at, stream: 'stderr', text: 'other', resumeAt: 100 }]);
  const end = `\n${at} stdout F three\n`;
  expect([...joiner.push(Buffer.from(end))]).toEqual([{ time: at, stream: 'stdout', text: 'one two three', resumeAt: 100 + log.length + end.length }]);
});

test('times are told in UTC, as fine as they were written', () => {
  const bytes = Buffer.from(
    '2026-01-31T12:00:00.000000001+00:00 stdout F a\n2026-01-31T14:30:00.123456789+02:30 stdout F b\n2026-01-31T12:00:00-01:00 stdout F c\n',
  );
  const times = [...new LineJoiner(0).push(bytes)].map(({ time }) => time);
  expect(times).toEqual(['2026-01-31T12:00:00.000000001Z', '2026-01-31T12:00:00.123456789Z', '2026-01-31T13:00:00Z']);
});

test('bytes may be cut anywhere, inside of a character too', () => {
  const bytes = Buffer.from(`${at} stdout F grüße\n${at} stdout F \nnonsense\n${at} stdout F last\n`);
  for (let cut = 1; cut < bytes.length; cut++) {
    const joiner = new LineJoiner(0);
    const texts = [...joiner.push(Buffer.from(bytes.subarray(0, cut))), ...joiner.push(Buffer.from(bytes.subarray(cut)))].map((l) => l.text);
    expect(texts).toEqual(['grüße', '', 'last']);
  }
});

test('a line goes on in the next file, and what never ends is given at last', () => {
  const old = new LineJoiner(0);
  expect([...old.push(Buffer.from(`${at} stdout P half`.concat('\n')))]).toEqual([]);
  expect(old.open).toBe(true);
  const next = new LineJoiner(0, old);
  expect([...next.push(Buffer.from(`${at} stdout F  done\n`))].map((l) => l.text)).toEqual(['half done']);
  expect([...old.flush()].map((l) => l.text)).toEqual(['half']);
});

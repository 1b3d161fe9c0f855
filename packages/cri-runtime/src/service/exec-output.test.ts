import { expect, it } from 'vitest';
import { EXEC_SYNC_LIMIT, execOutput } from './exec-output.js';

it('keeps what comes first of both streams together, and swallows the rest', () => {
  const { stdout, stderr } = execOutput(8);
  stdout.stream.write('12345');
  stderr.stream.write('abcdef');
  stdout.stream.write('6');
  expect([stdout.bytes().toString(), stderr.bytes().toString()]).toEqual(['12345', 'abc']);
});

it('leaves room for the frame of an answer in a message of 16 MiB, and keeps the 16 MB of the API', () => {
  expect(EXEC_SYNC_LIMIT).toBeLessThan(16 * 1024 * 1024 - 64);
  expect(EXEC_SYNC_LIMIT).toBeGreaterThan(16_000_000);
});

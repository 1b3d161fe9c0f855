import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PodSignals } from '../pod-signals.js';
import { type LogOptions, readLogs } from './read-logs.js';

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000Z`;
const line = (second: number, text: string, stream = 'stdout', tag = 'F') => `${at(second)} ${stream} ${tag} ${text}\n`;

describe('reading container logs', () => {
  let dir: string;
  let path: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'logs-'));
    path = join(dir, '0.log');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const all = async (options: Partial<LogOptions>) => {
    let text = '';
    const source = { running: () => false, changed: async () => {} };
    for await (const chunk of readLogs(path, { follow: false, timestamps: false, ...options }, source, new AbortController().signal)) text += chunk.toString();
    return text;
  };

  it('joins partial lines, and cuts by tail, time, bytes and stream', async () => {
    await writeFile(path, line(1, 'one') + line(2, 'tw', 'stdout', 'P') + line(2, 'o') + line(3, 'three', 'stderr'));
    expect(await all({})).toBe('one\ntwo\nthree\n');
    expect(await all({ tailLines: 2 })).toBe('two\nthree\n');
    expect(await all({ tailLines: 0 })).toBe('');
    expect(await all({ sinceMs: Date.parse(at(2)) })).toBe('two\nthree\n');
    expect(await all({ limitBytes: 5 })).toBe('one\nt');
    expect(await all({ stream: 'Stderr' })).toBe('three\n');
    expect(await all({ timestamps: true, tailLines: 1 })).toBe(`${at(3)} three\n`);
  });

  it('counts a line that has no end yet', async () => {
    await writeFile(path, line(1, 'one') + line(2, 'two') + line(3, 'no', 'stdout', 'P') + line(3, 'end', 'stdout', 'P'));
    expect(await all({ tailLines: 2 })).toBe('two\nnoend');
    expect(await all({ tailLines: 1 })).toBe('noend');
  });

  it('tells times in UTC with a Z, and others as they were written', async () => {
    await writeFile(path, '2026-01-01T00:00:01.000000001+00:00 stdout F one\n2026-01-01T02:00:01.5+02:00 stdout F two\n');
    expect(await all({ timestamps: true })).toBe('2026-01-01T00:00:01.000000001Z one\n2026-01-01T02:00:01.5+02:00 two\n');
  });

  it('reads what was rotated away first', async () => {
    await writeFile(`${path}.20260101-000000.gz`, gzipSync(line(1, 'old')));
    await writeFile(`${path}.20260101-000001`, line(2, 'newer'));
    await writeFile(path, line(3, 'newest'));
    expect(await all({})).toBe('old\nnewer\nnewest\n');
    expect(await all({ tailLines: 2 })).toBe('newer\nnewest\n');
  });

  it('follows across a rotation, loses and repeats nothing, and ends with the container', async () => {
    await writeFile(path, line(1, 'a'));
    let running = true;
    const signals = new PodSignals();
    const source = { running: () => running, changed: (s: AbortSignal) => signals.next('u', s) };
    const lines: string[] = [];
    const done = (async () => {
      for await (const chunk of readLogs(path, { follow: true, timestamps: false, tailLines: 1 }, source, AbortSignal.timeout(10_000)))
        lines.push(...chunk.toString().trim().split('\n'));
    })();
    await expect.poll(() => lines).toEqual(['a']);
    await appendFile(path, line(2, 'b'));
    await expect.poll(() => lines).toEqual(['a', 'b']);
    await rename(path, `${path}.20260101-000002`);
    await appendFile(`${path}.20260101-000002`, line(3, 'c'));
    await writeFile(path, line(4, 'd'));
    await expect.poll(() => lines).toEqual(['a', 'b', 'c', 'd']);
    await appendFile(path, line(5, 'e'));
    running = false;
    signals.notify('u');
    await done;
    expect(lines).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkWatchEvent, decodeWatch } from './watch-decoder.js';

async function* cut(bytes: Buffer, at: readonly number[]): AsyncIterable<Uint8Array> {
  let from = 0;
  for (const to of [...at, bytes.length]) {
    // A plain Uint8Array, as other transports may give.
    if (to > from) yield new Uint8Array(bytes.subarray(from, to));
    from = Math.max(from, to);
  }
}

describe('decodeWatch', () => {
  it('gives the same events wherever the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 }), fc.array(fc.nat(300), { maxLength: 6 }), async (names, cuts) => {
        const events = names.map((name) => ({ type: 'ADDED', object: { name: `${name}\n` } }));
        const bytes = Buffer.from(events.map((e) => `${JSON.stringify(e)}\n`).join(''));
        const seen: unknown[] = [];
        for await (const batch of decodeWatch(
          cut(
            bytes,
            cuts.map((c) => c % (bytes.length + 1)).sort((a, b) => a - b),
          ),
        ))
          seen.push(...batch);
        expect(seen).toEqual(events);
      }),
    );
  });

  it('turns an ERROR event into the error it carries', () => {
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'Expired', code: 410, message: 'too old' };
    expect(() => checkWatchEvent({ type: 'ERROR', object: status })).toThrow('too old');
  });
});

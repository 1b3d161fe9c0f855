import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createDeflate, createInflate, constants } from 'node:zlib';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { SpdyConnection, type SpdyStream } from './connection.js';
import { SPDY_DICTIONARY } from './dictionary.js';
import { encodeHeaderBlock, HeaderCompressor, HeaderDecompressor } from './headers.js';

function adler32(bytes: Buffer): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

describe('SPDY header compression', () => {
  it('uses the dictionary of SPDY/3 (Adler-32 from the specification)', () => {
    expect(SPDY_DICTIONARY.length).toBe(1423);
    expect(adler32(SPDY_DICTIONARY).toString(16)).toBe('e3c6a7c2');
  });

  it('reads blocks a real deflate stream made with the dictionary, across blocks that refer back', async () => {
    const deflate = createDeflate({ dictionary: SPDY_DICTIONARY });
    const reader = new HeaderDecompressor();
    for (const headers of <Record<string, string>[]>[
      { streamtype: 'stdin', port: '80' },
      { streamtype: 'stdin', port: '80', requestid: '1' },
    ]) {
      deflate.write(encodeHeaderBlock(headers));
      await new Promise<void>((r) => deflate.flush(constants.Z_SYNC_FLUSH, r));
      expect({ ...(await reader.decompress(deflate.read() as Buffer)) }).toEqual(headers);
    }
    reader.close();
  });

  it('writes one zlib stream that a plain inflate reads block by block', async () => {
    const inflate = createInflate({ dictionary: SPDY_DICTIONARY });
    const writer = new HeaderCompressor();
    for (const headers of <Record<string, string>[]>[{ a: '1' }, { b: '2', c: 'ü' }]) {
      await new Promise<void>((r) => inflate.write(writer.compress(headers), () => r()));
      expect(inflate.read()).toEqual(encodeHeaderBlock(headers));
    }
  });
});

describe('SpdyConnection', () => {
  const sockets: { destroy(): void; close?(): void }[] = [];
  afterEach(() => {
    for (const s of sockets.splice(0)) (s.close ?? s.destroy).call(s);
  });

  async function pair(onStream: (s: SpdyStream) => void) {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
    const [other] = await accepted;
    sockets.push(socket, other, { destroy() {}, close: () => server.close() });
    return {
      client: new SpdyConnection(socket, { role: 'client' }),
      server: new SpdyConnection(other, { role: 'server', onStream }),
    };
  }

  it('carries many streams with half-close in both directions', async () => {
    const { client } = await pair(async (s) => s.end(`${s.headers.name}:${(await text(s)).length}`));
    const sizes = [0, 1, 5000, 3_000_000];
    const answers = await Promise.all(
      sizes.map(async (size) => {
        const stream = await client.open({ name: `s${size}` });
        stream.end(Buffer.alloc(size, 'x'));
        return text(stream);
      }),
    );
    expect(answers).toEqual(sizes.map((s) => `s${s}:${s}`));
  });

  it('refuses a stream its handler refuses, and ends readers when the connection goes', async () => {
    const { client, server } = await pair((s) => {
      if (s.headers.no) throw new Error('no');
      s.write('hello');
    });
    await expect(client.open({ no: '1' })).rejects.toThrow(/reset/);
    const stream = await client.open({ yes: '1' });
    await server.close();
    expect(await text(stream)).toBe('hello');
    await client.closed;
    await expect(client.open({ yes: '1' })).rejects.toThrow(/closed/);
  });
});

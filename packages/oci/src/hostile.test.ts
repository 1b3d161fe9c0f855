import { readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  archivedContent,
  buildImage,
  type BuiltImage,
  choosePlatform,
  digestOf,
  LoopbackRegistry,
  MediaType,
  openImageArchive,
  parseConfiguration,
  RegistryClient,
  readTar,
  type TarEntry,
  writeTar,
} from './index.js';

const clock = { sleep: async () => {} };
const json = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const load = async (...entries: TarEntry[]) => openImageArchive(Readable.from([await writeTar(entries)]));
const temporary = () => readdirSync(tmpdir()).filter((name) => name.startsWith('cox-image-'));

describe('a registry that means ill', () => {
  let registry: LoopbackRegistry;
  let image: BuiltImage;
  let reference: string;
  beforeEach(async () => {
    image = await buildImage({ files: { '/a': 'one' } });
    registry = await LoopbackRegistry.start();
    reference = registry.add('app', 'v1', image);
  });
  afterEach(() => registry.close());
  const resolve = () => new RegistryClient({ clock, attempts: 3 }).resolve(reference);

  it.each([
    ['no address', () => 'Bearer realm="not an address"', /"not an address", which is no address/],
    ['a file', () => 'Bearer realm="file:///etc/passwd"', /"file:\/\/\/etc\/passwd", which is no address/],
    ['nowhere', () => 'Bearer service="x"', /without saying where/],
    ['rubbish', () => '=,=,"",bearer', /without saying where/],
  ])('sends for a token to %s', async (_, challenge, message) => {
    registry.intercept = (_path, response) => !!response.writeHead(401, { 'www-authenticate': challenge() }).end();
    await expect(resolve()).rejects.toMatchObject({ code: 'unauthorized', message: expect.stringMatching(message) });
    expect(registry.requests).toHaveLength(1);
  });

  it.each([
    ['no JSON', 'hello'],
    ['null', 'null'],
    ['an object for a token', '{"token":{}}'],
    ['a token of two lines', '{"token":"a\\r\\nx-evil: 1"}'],
  ])('has a token service that answers %s', async (_, answer) => {
    registry.intercept = (path, response) => {
      if (path === '/token') return !!response.end(answer);
      return !!response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${registry.host}/token"` }).end();
    };
    await expect(resolve()).rejects.toMatchObject({ code: 'unauthorized', message: expect.stringMatching(/answered without a token/) });
  });

  it('is asked for a token once, however often it says 401', async () => {
    registry.intercept = (path, response) => {
      if (path === '/token') return !!response.end('{"token":"t"}');
      return !!response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${registry.host}/token"` }).end('no');
    };
    await expect(resolve()).rejects.toMatchObject({ code: 'unauthorized', message: expect.stringMatching(/authorization failed.*no/) });
    expect(registry.requests.filter((path) => path === '/token')).toHaveLength(1);
  });

  it.each(['an error', 'a token'])('sends %s without end', async (what) => {
    let sent = 0;
    const flood = (response: { write(chunk: Buffer): boolean; once(event: 'drain', run: () => void): unknown; destroyed: boolean }): void => {
      while (!response.destroyed && sent < 512 * 2 ** 20) {
        sent += 65536;
        if (!response.write(Buffer.alloc(65536, 'x'))) {
          response.once('drain', () => flood(response));
          return;
        }
      }
    };
    registry.intercept = (path, response) => {
      if (path === '/token' || what === 'an error') flood(response.writeHead(path === '/token' ? 200 : 400));
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${registry.host}/token"` }).end();
      return true;
    };
    await expect(resolve()).rejects.toMatchObject({ code: what === 'an error' ? 'invalid' : 'too-large' });
    expect(sent).toBeLessThan(64 * 2 ** 20);
  });

  it('redirects in a circle', async () => {
    registry.intercept = (path, response) => !!response.writeHead(307, { location: path }).end();
    await expect(resolve()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/redirect/) });
  });

  it('breaks off in a manifest: asked again, and in the end the message says what broke', async () => {
    let left = 2;
    const cut = (path: string, response: import('node:http').ServerResponse) => {
      if (!path.includes('/manifests/') || left-- <= 0) return false;
      response.writeHead(200, { 'content-length': '1000' }).write('{', () => response.destroy());
      return true;
    };
    registry.intercept = cut;
    expect((await resolve()).target.digest).toBe(image.manifest.digest);
    left = Number.POSITIVE_INFINITY;
    await expect(resolve()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/broke off while sending the manifest of .*app:v1/) });
  });

  it('is not asked twenty-five times for a layer it cannot give', async () => {
    const { reference: ref, manifest } = await resolve();
    registry.requests.length = 0;
    registry.intercept = (_path, response) => !!response.writeHead(503).end();
    const [layer] = manifest.layers;
    await expect(new RegistryClient({ clock }).blob(ref, layer!).next()).rejects.toMatchObject({ code: 'unavailable' });
    expect(registry.requests).toHaveLength(5);
  });

  it.each([
    ['of schema 1', { schemaVersion: 1, fsLayers: [] }, 'unsupported', /schema 1 is not supported/],
    ['of a foreign type', { schemaVersion: 2, mediaType: 'text/plain', config: {}, layers: [] }, 'unsupported', /text\/plain is not an image/],
    ['that is a list', [], 'unsupported', /./],
    ['with holes', { schemaVersion: 2, config: null, layers: [null] }, 'invalid', /lacks config/],
    ['larger than allowed', ' '.repeat(5 * 2 ** 20), 'too-large', /the manifest of .* is larger than/],
  ])('has a manifest %s', async (_, manifest, code, message) => {
    registry.addManifest('app', 'v1', json(manifest), MediaType.ociManifest);
    await expect(resolve()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('an archive that means ill', () => {
  it.each([
    ['an index that is no JSON', [{ path: 'index.json', content: json('{') }], /the image manifest is not JSON/],
    ['an index that is null', [{ path: 'index.json', content: json('null') }], /not a JSON object/],
    ['an index with holes', [{ path: 'index.json', content: json({ schemaVersion: 2, manifests: [null] }) }], /unusable digest/],
    ['a docker manifest that is no list', [{ path: 'manifest.json', content: json({ Config: 'x' }) }], /not a list of images/],
    ['a docker manifest with holes', [{ path: 'manifest.json', content: json([null]) }], /not a list of images/],
    ['layers that are a text', [{ path: 'manifest.json', content: json([{ Config: 'x', Layers: 'abc' }]) }], /not a list of images/],
    [
      'a configuration that is not there',
      [{ path: 'manifest.json', content: json([{ Config: '../../etc/passwd', Layers: [] }]) }],
      /lacks \.\.\/\.\.\/etc\/passwd/,
    ],
  ] as [string, TarEntry[], RegExp][])('%s', async (_, entries, message) => {
    await expect(load(...entries)).rejects.toMatchObject({ code: 'invalid', message: expect.stringMatching(message) });
  });

  it('indexes that name one another many times are walked once each', async () => {
    const blobs: TarEntry[] = [];
    const put = (value: unknown) => {
      const content = json(value);
      blobs.push({ path: `blobs/sha256/${digestOf(content).slice(7)}`, content });
      return { mediaType: MediaType.ociIndex, digest: digestOf(content), size: content.length };
    };
    let descriptor = put({ schemaVersion: 2, manifests: [] });
    for (let depth = 0; depth < 8; depth++) descriptor = put({ schemaVersion: 2, manifests: Array.from({ length: 30 }, () => descriptor) });
    const archive = await load({ path: 'index.json', content: json({ schemaVersion: 2, manifests: [descriptor] }) }, ...blobs);
    expect(await archivedContent(archive, descriptor)).toHaveLength(9);
    await archive.close();
  }, 5000);

  it('a layer named as a manifest is not read into memory', async () => {
    const big = Buffer.alloc(8 * 2 ** 20);
    const descriptor = { mediaType: MediaType.ociManifest, digest: digestOf(big), size: big.length };
    const archive = await load({ path: 'index.json', content: json({ schemaVersion: 2, manifests: [descriptor] }) }, { path: 'blobs/sha256/x', content: big });
    await expect(archivedContent(archive, descriptor)).rejects.toMatchObject({ code: 'too-large' });
    await archive.close();
  });

  it('cut off, plain or gzipped, and nothing of it stays', async () => {
    const before = temporary();
    const tar = await (await buildImage({ files: { '/a': 'x'.repeat(5000) } })).layoutTar();
    for (const bytes of [tar.subarray(0, 2000), gzipSync(tar).subarray(0, 200)])
      await expect(openImageArchive(Readable.from([bytes]))).rejects.toMatchObject({ code: 'invalid' });
    expect(temporary()).toEqual(before);
  });

  it('leaves nothing when the process is killed while it is open', async () => {
    const before = temporary();
    const archive = await openImageArchive(Readable.from([await (await buildImage({ files: { '/a': 'x' } })).layoutTar()]));
    expect(temporary()).toEqual(before);
    await archive.close();
  });
});

describe('documents that mean ill', () => {
  it.each([{ Env: 'A=b' }, { Cmd: ['a', 1] }, { User: 0 }, { Entrypoint: ['a\0b'] }, { Volumes: [] }, 'x', []])('configuration %j', (config) => {
    const rootfs = { type: 'layers', diff_ids: [] };
    expect(() => parseConfiguration(json({ os: 'linux', architecture: 'amd64', rootfs, config }))).toThrow(/of the image configuration/);
    expect(parseConfiguration(json({ rootfs, config: { Env: null, Cmd: null } })).rootfs.diff_ids).toEqual([]);
  });

  it('an index of the wrong platforms, one of them null', () => {
    const entry = (platform: unknown) => ({ mediaType: MediaType.ociManifest, digest: digestOf('x'), size: 1, platform }) as never;
    expect(() =>
      choosePlatform({ schemaVersion: 2, manifests: [entry(null), entry({ os: 'plan9', architecture: 'mips' })] }, { os: 'linux', architecture: 'amd64' }),
    ).toThrow(/offers \?\/\?, plan9\/mips/);
  });

  it('global tar headers do not add up without limit', async () => {
    const header = (n: number) => {
      const body = Buffer.from(`${600_000 + 0} c${String(n).padStart(3, '0')}=`.padEnd(599_999, 'x') + '\n');
      const block = Buffer.alloc(512);
      block.write('g', 0);
      block.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
      block.write('        g', 148);
      block.write(
        `${block
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0')}\0 `,
        148,
      );
      return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
    };
    const source = async function* () {
      for (let n = 0; n < 3; n++) yield header(n);
    };
    await expect(readTar(source(), async () => {})).rejects.toMatchObject({ code: 'too-large' });
  });
});

import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContentStore } from './content-store.js';
import { digestOf } from './digest.js';
import { applyLayer, type ApplyLayerOptions, type LayerCalls } from './layer-apply.js';
import { type TarEntry, writeTar } from './tar-writer.js';

let top: string;
let dir: string;
let calls: string[];
const recorded: LayerCalls = {
  mknod: (path, mode, major, minor) => {
    calls.push(`mknod ${path.slice(dir.length)} ${(mode & 0o170000).toString(8)} ${major}:${minor}`);
    writeFileSync(path, '', { mode: mode & 0o777 });
  },
  setXattr: (path, name, value) => void calls.push(`xattr ${path.slice(dir.length)} ${name}=${Buffer.from(value).toString('latin1')}`),
};
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'cox-layer-'));
  dir = join(top, 'layer');
  calls = [];
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

// The owner must be one this user may give, so that the tests need no root.
const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const file = (path: string, content = 'x', mode = 0o644): TarEntry => ({ path, content: Buffer.from(content), mode, ...own });
const folder = (path: string, mode = 0o755): TarEntry => ({ path, type: 'directory', mode, ...own });
const link = (path: string, target: string, type: 'symlink' | 'link' = 'symlink'): TarEntry => ({ path, type, target });
const stream = async function* (...parts: Uint8Array[]) {
  yield* parts;
};
const apply = async (entries: TarEntry[], options: Partial<ApplyLayerOptions> = {}) => applyTar(await writeTar(entries), options);
const applyTar = (tar: Uint8Array, options: Partial<ApplyLayerOptions> = {}) => applyLayer(stream(tar), { dir, calls: recorded, ...options });
const read = (path: string) => readFileSync(join(dir, path), 'utf8');

/** One raw header block, for what the tar writer would not write. */
function rawEntry(name: string, type: string, { size = 0, target = '', body = Buffer.alloc(0) as Buffer } = {}): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write(`0000644\0${'0000000\0'}${'0000000\0'}`, 100);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0        ', 136);
  block.write(type, 156);
  block.write(target, 157, 100);
  block.write('ustar\0' + '00', 257);
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}
const pax = (records: Record<string, Buffer | string>) => {
  const body = Buffer.concat(
    Object.entries(records).map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
  return rawEntry('pax', 'x', { size: body.length, body });
};
const END = Buffer.alloc(1024);

describe.runIf(process.getuid?.() === 0)('applyLayer', () => {
  it('unpacks files, folders, links and modes, and says the diff id of what it read', async () => {
    const tar = await writeTar([folder('a', 0o750), file('a/f', 'text', 0o4755), link('a/l', '../../etc/x'), link('h', 'a/f', 'link')]);
    for (const bytes of [tar, gzipSync(tar)]) {
      rmSync(dir, { recursive: true, force: true });
      expect(await applyTar(bytes)).toEqual({ diffId: digestOf(tar), bytes: tar.length });
      expect([read('a/f'), read('h'), readlinkSync(join(dir, 'a/l'))]).toEqual(['text', 'text', '../../etc/x']);
      expect([statSync(join(dir, 'a')).mode & 0o7777, statSync(join(dir, 'a/f')).mode & 0o7777]).toEqual([0o750, 0o4755]);
      expect(statSync(join(dir, 'h')).ino).toBe(statSync(join(dir, 'a/f')).ino);
      expect(statSync(join(dir, 'a')).mtimeMs).toBe(0);
    }
  });

  it('turns whiteouts and opaque markers into overlayfs’ own', async () => {
    await apply([file('d/.wh.gone', ''), file('o/.wh..wh..opq', ''), file('o/new')]);
    expect(calls).toEqual(['mknod /d/gone 20000 0:0', 'xattr /o trusted.overlay.opaque=y']);
    expect(readdirSync(join(dir, 'o'))).toEqual(['new']);
  });

  it('a whiteout hides what is below, never what the layer has itself', async () => {
    await apply([file('kept'), file('.wh.kept', ''), folder('fresh'), file('.wh.fresh', '')]);
    expect(read('kept')).toBe('x');
    expect(calls).toEqual(['xattr /fresh trusted.overlay.opaque=y']);
  });

  it.each([
    ['a path that climbs out', [file('../out')]],
    ['one that does so in the middle', [file('a/../../out')]],
    ['a hard link out', [link('h', '../../etc/passwd', 'link')]],
    ['a hard link to nothing', [link('h', 'etc/passwd', 'link')]],
    ['a whiteout of the parent', [file('a/.wh...', '')]],
    ['links without end', [link('a', 'b'), link('b', 'a'), file('a/x')]],
  ])('refuses %s', async (_, entries) => {
    await expect(apply(entries)).rejects.toMatchObject({ code: 'invalid' });
    expect(readdirSync(top)).toEqual(['layer']);
  });

  it('stays inside when paths are absolute or lead through links', async () => {
    mkdirSync(join(top, 'outside'));
    await apply([
      file('/etc/abs'),
      link('up', '../outside'),
      file('up/a'),
      link('root', '/'),
      file('root/b'),
      link('far', join(top, 'outside')),
      file('far/c'),
    ]);
    expect(readdirSync(join(top, 'outside'))).toEqual([]);
    expect([read('etc/abs'), read('outside/a'), read('b')]).toEqual(['x', 'x', 'x']);
    expect(read(join(top, 'outside/c'))).toBe('x');
  });

  it('replaces a link by a file instead of writing through it', async () => {
    writeFileSync(join(top, 'victim'), 'safe');
    await apply([link('l', join(top, 'victim')), file('l', 'mine')]);
    expect([readFileSync(join(top, 'victim'), 'utf8'), read('l'), lstatSync(join(dir, 'l')).isFile()]).toEqual(['safe', 'mine', true]);
  });

  it('gives implied folders the attributes they have below, and copies hard links’ targets from there', async () => {
    const lower = join(top, 'lower');
    mkdirSync(join(lower, 'tmp'), { recursive: true, mode: 0o700 });
    writeFileSync(join(lower, 'tmp', 'base'), 'below');
    await apply([file('tmp/x'), link('copy', 'tmp/base', 'link')], { lowers: [lower] });
    expect(statSync(join(dir, 'tmp')).mode & 0o777).toBe(0o700);
    expect(read('copy')).toBe('below');
  });

  it('keeps extended attributes byte for byte, but not overlayfs’ own; makes devices', async () => {
    const capability = Buffer.from([1, 0, 0, 2, 0xff, 0x80]);
    const header = pax({ 'SCHILY.xattr.security.capability': capability, 'SCHILY.xattr.trusted.overlay.opaque': 'y', path: `${'p'.repeat(200)}` });
    await applyTar(Buffer.concat([header, rawEntry('short', '0'), rawEntry('fifo', '6'), END]));
    expect(readdirSync(dir).sort()).toEqual(['fifo', 'p'.repeat(200)]);
    expect(calls).toEqual([`xattr /${'p'.repeat(200)} security.capability=${capability.toString('latin1')}`, 'mknod /fifo 10000 0:0']);
  });

  it('stops at its limits', async () => {
    await expect(apply([file('big', 'x'.repeat(100_000))], { maxBytes: 50_000 })).rejects.toMatchObject({ code: 'too-large' });
    const bomb = gzipSync(await writeTar([file('bomb', '\0'.repeat(5_000_000))]));
    expect(bomb.length).toBeLessThan(20_000);
    await expect(applyTar(bomb, { maxBytes: 1_000_000 })).rejects.toMatchObject({ code: 'too-large' });
    await expect(apply([file('a'), file('b'), file('c')], { maxEntries: 2 })).rejects.toMatchObject({ code: 'too-large' });
  });

  it('says what is wrong with bytes that are no layer', async () => {
    await expect(applyTar(Buffer.from('hello'.repeat(200)))).rejects.toMatchObject({ code: 'invalid', message: expect.stringMatching(/checksum/) });
    const tar = await writeTar([file('f', 'x'.repeat(2000))]);
    await expect(applyTar(tar.subarray(0, 1500))).rejects.toMatchObject({ code: 'invalid', message: expect.stringMatching(/cut off/) });
    await expect(applyTar(gzipSync(tar).subarray(0, 60))).rejects.toMatchObject({ code: 'invalid' });
    await expect(applyTar(Buffer.concat([rawEntry('f', '0', { size: 0o77777777777 }), END]))).rejects.toMatchObject({ code: 'invalid' });
    await expect(applyTar(pax({ path: 'p' }).fill('z', 512, 513))).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('ContentStore', () => {
  const bytes = Buffer.from('content');
  const good = { digest: digestOf(bytes), size: bytes.length };

  it('keeps what is whole and right, once', async () => {
    const store = await ContentStore.open(top);
    let asked = 0;
    const source = () => {
      asked++;
      return stream(bytes);
    };
    await Promise.all([store.write(good, source), store.write(good, source)]);
    expect([asked, await store.has(good.digest), (await store.read(good.digest, 100)).toString(), await store.list()]).toEqual([
      1,
      true,
      'content',
      [good.digest],
    ]);
    await store.remove(good.digest);
    await expect(store.read(good.digest, 100)).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each([
    ['claims fewer bytes', { ...good, size: 3 }, 'size-mismatch'],
    ['claims more', { ...good, size: 30 }, 'size-mismatch'],
    ['claims more than the disk has', { ...good, size: Number.MAX_SAFE_INTEGER }, 'too-large'],
    ['is something else', { digest: digestOf('other'), size: bytes.length }, 'digest-mismatch'],
  ])('refuses content that %s, and keeps nothing of it', async (_, descriptor, code) => {
    const store = await ContentStore.open(top);
    await expect(store.write(descriptor, () => stream(bytes))).rejects.toMatchObject({ code });
    expect([await store.list(), readdirSync(join(top, 'ingest'))]).toEqual([[], []]);
  });
});

import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  archivedContent,
  buildImage,
  type BuiltImage,
  chainIds,
  choosePlatform,
  digestOf,
  formatReference,
  LoopbackRegistry,
  MediaType,
  openImageArchive,
  parseChallenge,
  parseReference,
  readLimited,
  RegistryClient,
  writeTar,
} from './index.js';

const clock = { sleep: async () => {} };

describe('parseReference', () => {
  it.each([
    ['busybox', 'docker.io/library/busybox:latest'],
    ['user/app:v1', 'docker.io/user/app:v1'],
    ['localhost/app', 'localhost/app:latest'],
    ['127.0.0.1:5000/a/b:x', '127.0.0.1:5000/a/b:x'],
    ['index.docker.io/busybox', 'docker.io/library/busybox:latest'],
    ['registry.k8s.io/pause@sha256:' + 'a'.repeat(64), 'registry.k8s.io/pause@sha256:' + 'a'.repeat(64)],
    ['quay.io/x/y:t@sha256:' + 'b'.repeat(64), 'quay.io/x/y:t@sha256:' + 'b'.repeat(64)],
    ['[::1]:5000/x', '[::1]:5000/x:latest'],
  ])('%s', (text, canonical) => expect(formatReference(parseReference(text))).toBe(canonical));

  it.each(['', 'Upper/Case', 'a b', 'x:', 'x@sha256:12', 'a//b', '-x', 'x/_y', 'a'.repeat(300), 'c'.repeat(64)])('refuses %j', (text) =>
    expect(() => parseReference(text)).toThrow(/invalid image reference/),
  );
});

describe('registry client', () => {
  let registry: LoopbackRegistry;
  let image: BuiltImage;
  beforeEach(async () => {
    image = await buildImage({ files: [{ '/a': 'one' }, { '/b/c': 'x'.repeat(200_000) }], config: { Cmd: ['/a'] }, compression: 'none' });
  });
  afterEach(() => registry.close());

  it('resolves tags and digests and streams verified layers', async () => {
    registry = await LoopbackRegistry.start();
    const ref = registry.add('team/app', 'v1', image);
    const client = new RegistryClient({ clock });
    const resolved = await client.resolve(ref);
    expect(resolved.manifest.config.digest).toBe(image.configDigest);
    expect(resolved.config.config?.Cmd).toEqual(['/a']);
    const layer = resolved.manifest.layers[1]!;
    expect(digestOf(await readLimited(client.blob(resolved.reference, layer), 1e9, 'layer'))).toBe(layer.digest);
    expect((await client.resolve(`${registry.host}/team/app@${image.manifest.digest}`)).target.digest).toBe(image.manifest.digest);
    await expect(client.resolve(`${registry.host}/team/none`)).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each(['basic', 'bearer'] as const)('logs in with %s', async (scheme) => {
    registry = await LoopbackRegistry.start({ credentials: { username: 'u', password: 'p:w', scheme } });
    const ref = registry.add('app', 'v1', image);
    await expect(new RegistryClient({ clock }).resolve(ref)).rejects.toMatchObject({ code: 'unauthorized' });
    const auth = { auth: Buffer.from('u:p:w').toString('base64') };
    expect((await new RegistryClient({ clock, auth }).resolve(ref)).manifest.config.digest).toBe(image.configDigest);
  });

  it('resumes a blob where the connection broke', async () => {
    registry = await LoopbackRegistry.start();
    const resolved = await new RegistryClient({ clock }).resolve(registry.add('app', 'v1', image));
    const layer = resolved.manifest.layers[1]!;
    const ranges: (string | undefined)[] = [];
    registry.intercept = (path, response, range) => {
      if (!path.endsWith(layer.digest)) return false;
      ranges.push(range);
      if (ranges.length > 1) return false;
      response.writeHead(200, { 'content-length': String(layer.size) });
      response.write(image.blobs.get(layer.digest)!.subarray(0, 70_000), () => response.destroy());
      return true;
    };
    const bytes = await readLimited(new RegistryClient({ clock }).blob(resolved.reference, layer), 1e9, 'layer');
    expect(digestOf(bytes)).toBe(layer.digest);
    expect(ranges[0]).toBeUndefined();
    expect(ranges[1]).toMatch(/^bytes=\d+-$/);
  });

  it('fails for content that lies about its size or its digest', async () => {
    registry = await LoopbackRegistry.start();
    const ref = registry.add('app', 'v1', image);
    const resolved = await new RegistryClient({ clock }).resolve(ref);
    const layer = resolved.manifest.layers[0]!;
    const read = (size: number) => readLimited(new RegistryClient({ clock, attempts: 1 }).blob(resolved.reference, { ...layer, size }), 1e9, 'layer');
    await expect(read(layer.size - 1)).rejects.toMatchObject({ code: 'size-mismatch' });
    await expect(read(layer.size + 1)).rejects.toMatchObject({ code: 'unavailable' });
    registry.addBlob(Buffer.alloc(layer.size), layer.digest);
    await expect(read(layer.size)).rejects.toMatchObject({ code: 'digest-mismatch' });
    registry.addManifest(
      'app',
      'huge',
      Buffer.from(JSON.stringify({ ...resolved.manifest, config: { ...resolved.manifest.config, size: 2 ** 40 } })),
      MediaType.ociManifest,
    );
    await expect(new RegistryClient({ clock }).resolve(`${registry.host}/app:huge`)).rejects.toMatchObject({ code: 'too-large' });
  });

  it('retries what may pass and falls through broken mirrors', async () => {
    registry = await LoopbackRegistry.start();
    const ref = registry.add('app', 'v1', image);
    let failures = 2;
    registry.intercept = (_path, response) => {
      if (failures-- <= 0) return false;
      response.writeHead(503).end();
      return true;
    };
    const client = new RegistryClient({ clock, mirrors: { [registry.host]: ['http://127.0.0.1:1'] } });
    expect((await client.resolve(ref)).target.digest).toBe(image.manifest.digest);
  });
});

describe('documents', () => {
  it('chooses the platform of an index and names those it has when none fits', () => {
    const entry = (architecture: string) => ({
      mediaType: MediaType.ociManifest,
      digest: digestOf(architecture),
      size: 1,
      platform: { os: 'linux', architecture },
    });
    const index = { schemaVersion: 2 as const, manifests: [entry('arm64'), entry('amd64')] };
    expect(choosePlatform(index, { os: 'linux', architecture: 'amd64' }).digest).toBe(digestOf('amd64'));
    expect(() => choosePlatform(index, { os: 'linux', architecture: 's390x' })).toThrow(/offers linux\/arm64, linux\/amd64/);
  });

  it('reads challenges', () => {
    expect(parseChallenge('Bearer realm="https://a/t",service="s",scope="repository:x:pull,push"')).toEqual({
      scheme: 'bearer',
      parameters: { realm: 'https://a/t', service: 's', scope: 'repository:x:pull,push' },
    });
  });
});

describe('archives', () => {
  it('reads an OCI layout, gzipped or not, and lists its content children first', async () => {
    const image = await buildImage({ files: { '/a': 'x' }, tags: ['docker.io/library/app:1', 'app:2'] });
    for (const bytes of [await image.layoutTar(), gzipSync(await image.layoutTar())]) {
      const archive = await openImageArchive(Readable.from([bytes]));
      try {
        expect(archive.images).toMatchObject([{ names: ['docker.io/library/app:1', 'docker.io/library/app:2'], target: { digest: image.manifest.digest } }]);
        const content = await archivedContent(archive, archive.images[0]!.target);
        expect(content.at(-1)?.digest).toBe(image.manifest.digest);
        expect(content).toHaveLength(3);
      } finally {
        await archive.close();
      }
    }
  });

  it('reads what docker save writes', async () => {
    const layer = await writeTar([{ path: 'f', content: Buffer.from('hi') }]);
    const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }));
    const tar = await writeTar([
      { path: 'abc/layer.tar', content: layer },
      { path: 'def.json', content: config },
      { path: 'manifest.json', content: Buffer.from(JSON.stringify([{ Config: 'def.json', RepoTags: ['app:1'], Layers: ['abc/layer.tar'] }])) },
    ]);
    const archive = await openImageArchive(Readable.from([tar]));
    const content = await archivedContent(archive, archive.images[0]!.target);
    expect(archive.images[0]?.names).toEqual(['docker.io/library/app:1']);
    expect(content.map((d) => d.digest)).toEqual([digestOf(layer), digestOf(config), archive.images[0]!.target.digest]);
    await archive.close();
  });

  it('says what is wrong with other files', async () => {
    await expect(openImageArchive(Readable.from([Buffer.from('hello, I am no tar file')]))).rejects.toMatchObject({ code: 'invalid' });
    await expect(openImageArchive(Readable.from([await writeTar([{ path: 'x', content: Buffer.from('y') }])]))).rejects.toThrow(
      /neither an OCI image layout nor a docker archive/,
    );
  });
});

it('computes chain ids as the specification does', () => {
  const [a, b] = [digestOf('a'), digestOf('b')];
  expect(chainIds([a, b])).toEqual([a, digestOf(`${a} ${b}`)]);
});

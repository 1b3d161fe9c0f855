import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectCri, type CriConnection, NamespaceMode } from '@coxswain/cri';
import { buildBusyboxImage, buildImage, type BuiltImage, digestOf, LoopbackRegistry } from '@coxswain/oci';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestNode } from './test-node.js';

let node: TestNode;
let registry: LoopbackRegistry;
let cri: CriConnection;

beforeAll(async () => {
  [registry, node] = await Promise.all([LoopbackRegistry.start(), TestNode.start(207, { layerLimits: { maxBytes: 8 * 1024 * 1024 } })]);
  cri = connectCri({ endpoint: node.cri.endpoint });
});
afterAll(async () => {
  cri?.close();
  await node?.destroy();
  await registry?.close();
});

const pull = async (image: string) => (await cri.image.pullImage({ image: { image } })).imageRef;
const folders = () => readdir(join(node.options.root, 'images', 'l'));
const blobs = () => readdir(join(node.options.root, 'images', 'content', 'blobs', 'sha256'));

/** An image whose manifest has been tampered with. */
function tampered(image: BuiltImage, edit: (manifest: { layers: { size: number; digest: string }[] }) => void): BuiltImage {
  const manifest = JSON.parse(Buffer.from(image.blobs.get(image.manifest.digest) as Uint8Array).toString()) as { layers: { size: number; digest: string }[] };
  edit(manifest);
  const bytes = Buffer.from(JSON.stringify(manifest));
  const descriptor = { ...image.manifest, digest: digestOf(bytes), size: bytes.length };
  const index = { ...image.index, manifests: [descriptor] };
  return { ...image, manifest: descriptor, index, blobs: new Map([...image.blobs, [descriptor.digest, bytes]]) };
}

it('layers cover each other: replaced, hidden and opaque, and a container sees the result', async () => {
  const base = { '/d/gone': 'x', '/d/stays': 'low', '/o/low': 'x', '/f': 'low', '/bin/dir': { directory: true } as const };
  const busybox = { content: await readFile('/bin/busybox'), mode: 0o755 };
  const image = await buildImage({
    files: [
      { '/bin/busybox': busybox, ...Object.fromEntries(['sh', 'find', 'cat', 'sort'].map((a) => [`/bin/${a}`, { symlink: 'busybox' }])), ...base },
      { '/d/.wh.gone': '', '/o/.wh..wh..opq': '', '/o/high': 'x', '/f': 'high' },
    ],
    config: { Env: ['PATH=/bin'] },
  });
  await pull(registry.add('layers/three', 'v1', image));
  const securityContext = { namespaceOptions: { pid: NamespaceMode.CONTAINER } };
  const config = { metadata: { name: 'p', uid: 'u', namespace: 'n', attempt: 0 }, linux: { securityContext } };
  const { podSandboxId } = await cri.runtime.runPodSandbox({ config });
  const { containerId } = await cri.runtime.createContainer({
    podSandboxId,
    sandboxConfig: config,
    config: {
      metadata: { name: 'c' },
      image: { image: registry.add('layers/three', 'v1', image) },
      command: ['sh', '-c', 'read x'],
      stdin: true,
      linux: { securityContext },
    },
  });
  await cri.runtime.startContainer({ containerId });
  const { stdout } = await cri.runtime.execSync({ containerId, cmd: ['sh', '-c', 'find /d /o | sort; cat /f'], timeout: 10n });
  expect(Buffer.from(stdout).toString()).toBe('/d\n/d/stays\n/o\n/o/high\nhigh');
  // Removing the image leaves what a container stands on.
  const before = await folders();
  await cri.image.removeImage({ image: { image: registry.add('layers/three', 'v1', image) } });
  expect(await folders()).toEqual(before);
  await cri.runtime.removePodSandbox({ podSandboxId });
});

it('what every pod has mounted is found where it goes, not made in the writable layer of each container', async () => {
  const busybox = { content: await readFile('/bin/busybox'), mode: 0o755 };
  const own = { '/etc': { directory: true, mode: 0o700 } as const, '/etc/hosts': 'own', '/run': { directory: true } as const, '/var/run': { symlink: '/run' } };
  const image = registry.add('mount/points', 'v1', await buildImage({ files: [{ '/bin/busybox': busybox, ...own }] }));
  await pull(image);
  const securityContext = { namespaceOptions: { pid: NamespaceMode.CONTAINER } };
  const config = { metadata: { name: 'points', uid: 'u', namespace: 'n', attempt: 0 }, linux: { securityContext } };
  const { podSandboxId } = await cri.runtime.runPodSandbox({ config });
  const token = join(node.dir, 'token');
  await mkdir(token);
  const start = async (name: string, mounts: { containerPath: string; hostPath: string }[]) => {
    const container = { metadata: { name }, image: { image }, command: ['/bin/busybox', 'sleep', '1000'], mounts, linux: { securityContext } };
    const { containerId } = await cri.runtime.createContainer({ podSandboxId, sandboxConfig: config, config: container });
    await cri.runtime.startContainer({ containerId });
    const { stdout } = await cri.runtime.execSync({
      containerId,
      cmd: ['/bin/busybox', 'sh', '-c', 'busybox stat -c %a /etc; busybox find /run'],
      timeout: 10n,
    });
    return { seen: Buffer.from(stdout).toString(), written: await readdir(join(node.options.root, 'containers', containerId, 'upper')) };
  };
  expect(await start('plain', [])).toEqual({ seen: '700\n/run\n', written: [] });
  const serviceAccount = '/run/secrets/kubernetes.io/serviceaccount';
  expect(await start('token', [{ containerPath: `/var${serviceAccount}`, hostPath: token }])).toEqual({
    seen: `700\n/run\n/run/secrets\n/run/secrets/kubernetes.io\n${serviceAccount}\n`,
    written: [],
  });
  await cri.runtime.removePodSandbox({ podSandboxId });
  await cri.image.removeImage({ image: { image } });
});

it.each([
  ['fewer bytes than it has', (m: { layers: { size: number }[] }) => void ((m.layers[0] as { size: number }).size -= 10), /larger than|size|bytes/],
  ['more bytes than it has', (m: { layers: { size: number }[] }) => void ((m.layers[0] as { size: number }).size += 10), /bytes/],
  ['more than the disk has', (m: { layers: { size: number }[] }) => void ((m.layers[0] as { size: number }).size = 2 ** 52), /free on the disk/],
])('an image that claims %s is refused, and nothing of it stays', async (_, edit, message) => {
  const image = registry.add('liar/size', 'v1', tampered(await buildBusyboxImage(), edit));
  await expect(pull(image)).rejects.toThrow(message);
  expect((await cri.image.imageStatus({ image: { image } })).image).toBeUndefined();
  expect([await blobs(), await folders()]).toEqual([[], []]);
});

it('an image that unpacks to more than allowed is refused, and nothing of it stays', async () => {
  const bomb = await buildImage({ files: { '/bomb': Buffer.alloc(64 * 1024 * 1024) } });
  await expect(pull(registry.add('liar/bomb', 'v1', bomb))).rejects.toThrow(/unpacks to more than/);
  expect([await blobs(), await folders()]).toEqual([[], []]);
});

it('layers that images share are fetched and kept once, until the last is removed', async () => {
  const shared = { '/shared': 'same' };
  const [a, b] = await Promise.all(['a', 'b'].map((own) => buildImage({ files: [shared, { '/own': own }] })));
  const refs = [registry.add('share/a', 'v1', a as BuiltImage), registry.add('share/b', 'v1', b as BuiltImage)];
  await Promise.all(refs.map(pull));
  expect(await folders()).toHaveLength(3);
  await cri.image.removeImage({ image: { image: refs[0] as string } });
  expect(await folders()).toHaveLength(2);
  await cri.image.removeImage({ image: { image: refs[1] as string } });
  expect([await blobs(), await folders()]).toEqual([[], []]);
});

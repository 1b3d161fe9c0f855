import { pack } from 'tar-stream';
import { digestOf } from '@coxswain/oci';

/** An image to be put into an archive. */
export interface ArchiveImage {
  /** Full references. */
  readonly names: readonly string[];
  /** The configuration's bytes. */
  readonly config: Uint8Array;
  /** Lowest first; compressed or not. */
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly read: () => AsyncIterable<Uint8Array> }[];
}

const hexOf = (digest: string) => digest.slice(digest.indexOf(':') + 1);

/** What `docker save` writes, as a stream: the one form of archive that every engine loads. Layers that images share are in it once. */
export async function* dockerArchive(images: readonly ArchiveImage[]): AsyncGenerator<Uint8Array, void, void> {
  const tar = pack();
  const mtime = new Date(0);
  const writing = (async () => {
    const written = new Set<string>();
    const manifest: { Config: string; RepoTags: string[]; Layers: string[] }[] = [];
    for (const { names, config, layers } of images) {
      const configName = `${hexOf(digestOf(config))}.json`;
      if (!written.has(configName)) tar.entry({ name: configName, mode: 0o644, mtime }, Buffer.from(config));
      written.add(configName);
      for (const { digest, size, read } of layers) {
        if (written.has(digest)) continue;
        written.add(digest);
        const entry = tar.entry({ name: `${hexOf(digest)}.tar`, mode: 0o644, mtime, size });
        for await (const chunk of read()) if (!entry.write(chunk)) await new Promise<void>((resolve) => entry.once('drain', resolve));
        await new Promise<void>((resolve) => {
          entry.once('close', resolve);
          entry.end(undefined);
        });
      }
      manifest.push({ Config: configName, RepoTags: [...names], Layers: layers.map(({ digest }) => `${hexOf(digest)}.tar`) });
    }
    tar.entry({ name: 'manifest.json', mode: 0o644, mtime }, JSON.stringify(manifest));
    tar.finalize();
  })();
  writing.catch((error: Error) => tar.destroy(error));
  yield* tar as AsyncIterable<Uint8Array>;
  await writing;
}

import { pack } from 'tar-stream';

/** One entry of a tar file to be written. */
export type TarEntry =
  | { readonly path: string; readonly type?: undefined; readonly content: Uint8Array; readonly mode?: number; readonly uid?: number; readonly gid?: number }
  | { readonly path: string; readonly type: 'directory'; readonly mode?: number; readonly uid?: number; readonly gid?: number }
  | { readonly path: string; readonly type: 'symlink' | 'link'; readonly target: string };

/** A tar file, reproducible: times are zero and the order is the given one. */
export async function writeTar(entries: Iterable<TarEntry>): Promise<Buffer> {
  const tar = pack();
  const chunks: Buffer[] = [];
  const done = new Promise<void>((resolve, reject) => {
    tar.on('data', (chunk) => chunks.push(chunk as Buffer));
    tar.on('end', resolve);
    tar.on('error', reject);
  });
  const mtime = new Date(0);
  for (const entry of entries) {
    if ('target' in entry) tar.entry({ name: entry.path, type: entry.type, linkname: entry.target, mode: 0o777, mtime });
    else if (entry.type === 'directory')
      tar.entry({ name: `${entry.path.replace(/\/$/, '')}/`, type: 'directory', mode: entry.mode ?? 0o755, uid: entry.uid ?? 0, gid: entry.gid ?? 0, mtime });
    else tar.entry({ name: entry.path, mode: entry.mode ?? 0o644, uid: entry.uid ?? 0, gid: entry.gid ?? 0, mtime }, Buffer.from(entry.content));
  }
  tar.finalize();
  await done;
  return Buffer.concat(chunks);
}

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBusyboxImage, type ImageFile } from '@coxswain/oci';

const source = fileURLToPath(new URL('../../../examples/guestbook/image', import.meta.url));
const [file, ...tags] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: build-image.mjs FILE [TAG…]');
  process.exit(2);
}

const files: Record<string, ImageFile> = {};
for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath, entry.name);
  files[`/www/${relative(source, path)}`] = { content: readFileSync(path), mode: statSync(path).mode & 0o777 };
}
try {
  const image = await buildBusyboxImage({ extraFiles: files, tags: tags.length > 0 ? tags : ['coxswain.local/guestbook:1', 'coxswain.local/guestbook:2'] });
  writeFileSync(file, await image.layoutTar());
  console.log(`${file}: ${image.configDigest}`);
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exit(1);
}

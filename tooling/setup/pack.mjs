import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pnpm } from './machine.mjs';
import { fail, output, root } from './run.mjs';

/** Every library that is published: its folder and its package.json. */
export function publishable() {
  return ['packages', 'plugins']
    .flatMap((kind) => readdirSync(join(root, kind)).map((name) => join(root, kind, name)))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => !manifest.private);
}

/** Packs them into a folder, as they would be published. Needs their builds. */
export function pack(libraries, destination) {
  const { command, prefix } = pnpm();
  const args = [...prefix, '-r', ...libraries.flatMap(({ manifest }) => ['--filter', manifest.name]), 'pack', '--pack-destination', destination];
  if (output(command, args) === undefined) fail(`packing failed: ${command} ${args.join(' ')}`);
}

/** Where `pack` puts a library. */
export function tarballOf({ manifest }, destination) {
  return join(destination, `${manifest.name.slice(1).replace('/', '-')}-${manifest.version}.tgz`);
}

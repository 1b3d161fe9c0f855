import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { KoffiLike } from './thread-program.js';

const require = createRequire(import.meta.url);

/**
 * Node 20's `realpath` gives up half-way when what was looked at last was a pipe or a socket: `require` then takes a link for the folder it
 * points to, and a module finds nothing beside itself where a package manager works with links. So something else is looked at first.
 */
export function beforeRequire(): void {
  statSync('/');
}

export function loadKoffi(): KoffiLike {
  beforeRequire();
  return require('koffi') as KoffiLike;
}

/** For threads of our own. */
export function koffiPath(): string {
  beforeRequire();
  return require.resolve('koffi');
}

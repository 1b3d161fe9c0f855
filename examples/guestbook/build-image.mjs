#!/usr/bin/env node
// node examples/guestbook/build-image.mjs FILE [TAG…]: the guestbook's image as an OCI archive: its scripts on Debian's busybox-static.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const result = spawnSync(
  process.execPath,
  ['--conditions=coxswain-source', '--import', 'tsx', 'apps/cox/scripts/guestbook-image.ts', ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
process.exit(result.status ?? 1);

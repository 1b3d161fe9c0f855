// The built front end becomes part of this package: dist/web.
import { cp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { buildWeb } from '@coxswain/dashboard-web/build';

const target = fileURLToPath(new URL('../dist/web', import.meta.url));
const built = await buildWeb();
await rm(target, { recursive: true, force: true });
await cp(built, target, { recursive: true });

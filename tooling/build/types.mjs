// Checks the types of the whole workspace in one program and keeps its declarations in node_modules/.cache/types. With `--publish`, each
// library's `dist` also gets the declarations that its entries reach. TypeScript 7's native compiler: a quarter of the work (docs/adr/0013).
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root, run } from '../setup/run.mjs';

const compiler = join(root, 'node_modules/typescript-native/bin/tsc');
const emitted = join(root, 'node_modules/.cache/types');
const RELATIVE_IMPORT = /(?:from|import)\s*\(?['"](\.{1,2}\/[^'"]+)\.js['"]/g;

const checked = ['tsconfig.types.json', 'apps/dashboard-web/tsconfig.json'].map((project) => run(process.execPath, [compiler, '-p', project]));
if (checked.includes(false)) process.exit(1);
if (process.argv.includes('--publish')) for (const folder of libraries()) publish(folder);

function libraries() {
  return ['packages', 'plugins']
    .flatMap((kind) => readdirSync(join(root, kind)).map((name) => join(kind, name)))
    .filter((folder) => existsSync(join(root, folder, 'package.json')) && existsSync(join(emitted, folder, 'src/index.d.ts')));
}

/** Copies what the library's exports reach: tests and their helpers stay out of the package. */
function publish(folder) {
  const source = join(emitted, folder, 'src');
  const dist = join(root, folder, 'dist');
  if (existsSync(dist)) for (const name of readdirSync(dist, { recursive: true })) if (name.endsWith('.d.ts')) rmSync(join(dist, name));
  const reached = new Set();
  const { exports } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const entries = Object.values(exports).flatMap(({ types }) => types ?? []);
  const waiting = entries.map((types) => join(source, relative('dist', types)));
  for (let file = waiting.pop(); file; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, path] of text.matchAll(RELATIVE_IMPORT)) {
      const named = join(dirname(file), `${path}.d.ts`);
      if (!named.startsWith(`${source}/`)) throw new Error(`${file} names ${path} of another package: that package has to export what is meant`);
      waiting.push(named);
    }
  }
  for (const file of reached) {
    const target = join(dist, relative(source, file));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
}

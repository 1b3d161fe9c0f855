// What a stranger who installs one package would trip over: publint, "are the types wrong", README, license, dependencies.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './run.mjs';
import { pnpm } from './machine.mjs';

const { command, prefix } = pnpm();
const folders = ['packages', 'plugins', 'apps'].flatMap((kind) => readdirSync(join(root, kind)).map((name) => join(root, kind, name)));
const problems = [];

for (const folder of folders) {
  if (!existsSync(join(folder, 'package.json'))) continue;
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (manifest.private) continue;
  if (!existsSync(join(folder, 'README.md'))) problems.push(`${manifest.name}: no README.md`);
  for (const field of ['description', 'license', 'version']) if (!manifest[field]) problems.push(`${manifest.name}: no ${field}`);
  const packed = mkdtempSync(join(tmpdir(), 'coxswain-pack-'));
  try {
    const pack = spawnSync(command, [...prefix, 'pack', '--pack-destination', packed], { cwd: folder, encoding: 'utf8' });
    const tarball = readdirSync(packed).find((f) => f.endsWith('.tgz'));
    if (pack.status !== 0 || !tarball) {
      problems.push(`${manifest.name}: cannot be packed: ${pack.stderr || pack.stdout}`);
      continue;
    }
    check(manifest.name, 'publint', ['run', join(packed, tarball), '--strict']);
    if (manifest.exports) check(manifest.name, 'attw', [join(packed, tarball), '--profile', 'esm-only', '--no-emoji', '--format', 'ascii']);
  } finally {
    rmSync(packed, { recursive: true, force: true });
  }
}

function check(name, tool, args) {
  const result = spawnSync(join(root, 'node_modules/.bin', tool), args, { cwd: root, encoding: 'utf8' });
  if (result.status !== 0) problems.push(`${name}: ${tool}:\n${result.stdout}${result.stderr}`);
}

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'every package is fit to publish' : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);

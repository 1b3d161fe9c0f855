// What a stranger who installs one package would trip over: publint, "are the types wrong", README, license, dependencies.
// All in one process: each tool started once per package cost six minutes of CPU.
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, publishable, tarballOf } from './pack.mjs';

/** How TypeScript resolves what cannot import an ES module anyway. */
const NOT_FOR_US = new Set(['node10', 'node16-cjs']);

const libraries = publishable();
const packed = mkdtempSync(join(tmpdir(), 'coxswain-pack-'));
const problems = [];
try {
  pack(libraries, packed);
  for (const library of libraries) for (const problem of await check(library)) problems.push(`${library.manifest.name}: ${problem}`);
} finally {
  rmSync(packed, { recursive: true, force: true });
}

async function check({ folder, manifest }) {
  const found = [];
  if (!existsSync(join(folder, 'README.md'))) found.push('no README.md');
  for (const field of ['description', 'license', 'version']) if (!manifest[field]) found.push(`no ${field}`);
  const tarball = readFileSync(tarballOf({ manifest }, packed));
  const { messages, pkg } = await publint({ pack: { tarball: tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.length) }, strict: true });
  for (const message of messages) if (message.type !== 'suggestion') found.push(`publint: ${formatMessage(message, pkg, { color: false })}`);
  if (manifest.exports) found.push(...(await typeProblems(tarball)), ...untyped(tarball, manifest));
  return found;
}

/** Packages that the declarations import, whose types only our own build has. */
function untyped(tarball, { devDependencies = {} }) {
  const content = createPackageFromTarballData(tarball);
  const declarations = content.listFiles().filter((file) => file.endsWith('.d.ts'));
  const imported = new Set(
    declarations.flatMap((file) => [...content.readFile(file).matchAll(/(?:from |import\()["']([^"'.][^"']*)["']/g)].map(([, name]) => name)),
  );
  return [...imported]
    .filter((name) => `@types/${name}` in devDependencies)
    .map((name) => `its types use those of ${name}: @types/${name} must be a dependency`);
}

async function typeProblems(tarball) {
  const analysis = await checkPackage(createPackageFromTarballData(tarball));
  if (!analysis.types) return ['its types are not in the package'];
  return analysis.problems
    .filter((problem) => !NOT_FOR_US.has(problem.resolutionKind ?? problem.resolutionOption))
    .map((problem) => `its types are wrong: ${JSON.stringify(problem)}`);
}

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'every package is fit to publish' : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);

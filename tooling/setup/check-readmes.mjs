// Does what a reader of a README does: installs the packed package into an empty project and runs the first TypeScript example.
// An example that wants more than Node says so after its fence (```ts needs=root, needs=cluster): its types are checked, and it is not run.
// The others run as nobody, so that one that forgot to say it fails and does no harm.
// usage: check-readmes.mjs [package…]
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { parse } from 'yaml';
import { pnpm } from './machine.mjs';
import { pack, publishable, tarballOf } from './pack.mjs';
import { fail, root } from './run.mjs';

/** Against hanging only: how long an example computes is up to the machine. */
const RUN_LIMIT_MS = 300_000;
const AT_ONCE = 2;
const NOBODY = { uid: 65534, gid: 65534 };

const libraries = publishable();
const asked = process.argv.slice(2);
const problems = [];
const examples = libraries.filter(({ manifest }) => asked.length === 0 || asked.includes(manifest.name)).flatMap(exampleOf);
const project = mkdtempSync(join(tmpdir(), 'coxswain-readmes-'));
try {
  for (const example of examples) problems.push(...undeclared(example));
  chmodSync(project, 0o755);
  await install();
  await checkTypes();
  const waiting = examples.filter(({ needs }) => needs === undefined);
  const ran = waiting.length;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let example = waiting.shift(); example; example = waiting.shift()) await runExample(example);
    }),
  );
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) console.log(`${examples.length} examples are sound, ${ran} of them were run`);
} finally {
  rmSync(project, { recursive: true, force: true });
}
process.exit(problems.length === 0 ? 0 : 1);

/** The first example of a README: its code, what it needs, and what the README says to install. */
function exampleOf({ folder, manifest }) {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const found = /^```ts(?: needs=(\S+))?\n([\s\S]*?)^```$/m.exec(readme);
  if (!found) {
    problems.push(`${manifest.name}: its README has no example in TypeScript`);
    return [];
  }
  const [, needs, code] = found;
  const installs = [...readme.matchAll(/^\s*npm install (.+)$/gm)].flatMap(([, names]) => names.split(' ').filter((name) => !name.startsWith('-')));
  const isTest = /from 'vitest'/.test(code);
  // Each in a folder of its own, where it may write.
  return [{ name: manifest.name, code, needs, installs, isTest, dir: manifest.name.split('/')[1], file: isTest ? 'example.test.ts' : 'example.ts' }];
}

/** Packages an example imports that its README does not say to install. */
function undeclared({ name, code, installs }) {
  const imported = [...code.matchAll(/(?:from|import) '([^'.][^']*)'/g)].map(([, path]) =>
    path
      .split('/')
      .slice(0, path.startsWith('@') ? 2 : 1)
      .join('/'),
  );
  const missing = new Set(imported.filter((path) => !path.startsWith('node:') && !builtinModules.includes(path) && !installs.includes(path)));
  return missing.size === 0 ? [] : [`${name}: its README imports ${[...missing].join(', ')}, which "npm install" there does not name`];
}

/** An empty project with every library from its tarball. */
async function install() {
  const tarballs = join(project, 'tarballs');
  mkdirSync(tarballs);
  pack(libraries, tarballs);
  const ours = Object.fromEntries(libraries.map((library) => [library.manifest.name, `file:${tarballOf(library, tarballs)}`]));
  const { catalog, allowBuilds } = parse(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'));
  // What the READMEs say to install beside ours, in the versions that ours are tested with.
  const others = new Set(examples.flatMap(({ installs }) => installs).filter((name) => !(name in ours)));
  for (const name of others) if (!(name in catalog)) fail(`a README says to install ${name}, which no package of ours has to do with`);
  const versions = Object.fromEntries(['@types/node', ...others].map((name) => [name, catalog[name]]));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'reader', private: true, type: 'module', dependencies: { ...ours, ...versions } }));
  // Their dependencies on each other are these tarballs too, and the others are what ours are tested with, which is on this machine
  // already: what somebody else publishes meanwhile fails nobody's check. (JSON is YAML.)
  const overrides = { ...lockedVersions(), ...ours };
  writeFileSync(join(project, 'pnpm-workspace.yaml'), JSON.stringify({ packages: [], pmOnFail: 'ignore', autoInstallPeers: false, allowBuilds, overrides }));
  const { command, prefix } = pnpm();
  const { code, said } = await run(command, [...prefix, 'install', '--prefer-offline', '--no-frozen-lockfile', '--reporter=append-only'], project, 300_000);
  if (code !== 0) fail(`the packages cannot be installed into an empty project:\n${said}`);
}

/** The packages of which the whole workspace has one version. */
function lockedVersions() {
  const { packages } = parse(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8'));
  const versions = new Map();
  for (const id of Object.keys(packages)) {
    const at = id.lastIndexOf('@');
    const name = id.slice(0, at);
    versions.set(name, [...(versions.get(name) ?? []), id.slice(at + 1)]);
  }
  return Object.fromEntries([...versions].filter(([, found]) => found.length === 1).map(([name, [version]]) => [name, version]));
}

async function checkTypes() {
  for (const { dir, file, code } of examples) {
    mkdirSync(join(project, dir));
    writeFileSync(join(project, dir, file), code);
  }
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2024', 'esnext.disposable'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    types: ['node'],
    skipLibCheck: true,
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: examples.map(({ dir, file }) => join(dir, file)) }));
  const { code, said } = await run(process.execPath, [join(root, 'node_modules/typescript-native/bin/tsc'), '-p', '.', '--pretty', 'false'], project, 300_000);
  if (code !== 0) problems.push(`examples in READMEs have wrong types:\n${said}`);
}

async function runExample({ name, dir, code, isTest }) {
  const folder = join(project, dir);
  const asRoot = process.getuid?.() === 0;
  if (asRoot) chownSync(folder, NOBODY.uid, NOBODY.gid);
  const options = { ...(asRoot ? NOBODY : {}), env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder } };
  let program = [join(project, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=dot', '--no-cache', '--dir', folder];
  if (!isTest) {
    program = [join(folder, 'example.mjs')];
    try {
      writeFileSync(program[0], (await transform(code, { loader: 'ts', target: 'node20', logLevel: 'silent' })).code);
    } catch (error) {
      problems.push(`${name}: ${error.message}`);
      return;
    }
  }
  const result = await run(process.execPath, program, isTest ? project : folder, RUN_LIMIT_MS, options);
  if (result.code !== 0)
    problems.push(`${name}: the example of its README ended with ${result.code ?? `no end within ${RUN_LIMIT_MS / 1000} s`}:\n${result.said}`);
}

/** `code` undefined: it did not end in time. */
function run(command, args, cwd, limitMs, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs, killSignal: 'SIGKILL', ...options });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? undefined, said }));
  });
}

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

const CONDITION = 'coxswain-source';

/**
 * An esbuild plugin: what is imported by name from a workspace package's index is imported from the file that says it. esbuild splits code by the
 * files that an entry can reach by any import, used or not; by way of indexes that is everything, and `cox status` would load the API server.
 * Line numbers stay as they are.
 */
export const directImports = {
  name: 'direct-imports',
  setup(build) {
    build.onLoad({ filter: /\/(packages|plugins|apps)\/[^/]+\/src\/.*\.tsx?$/ }, async ({ path }) => ({
      contents: rewrite(await readFile(path, 'utf8'), path),
      loader: path.endsWith('x') ? 'tsx' : 'ts',
    }));
  },
};

function rewrite(text, importer) {
  return text
    .replace(/^import \{([^}]*)\} from '(@coxswain\/[^']+)';/gm, (statement, list, specifier) => {
      const byFile = filesOf(list, specifier, importer);
      if (byFile === undefined) return statement;
      const imports = [...byFile].map(([file, items]) => `import { ${items.join(', ')} } from ${JSON.stringify(file)};`).join(' ');
      return imports + '\n'.repeat(statement.split('\n').length - 1);
    })
    .replace(/^( *const \{([^}]*)\} = await import\()'(@coxswain\/[^']+)'\)/gm, (statement, start, list, specifier) => {
      const [file, ...others] = filesOf(list, specifier, importer)?.keys() ?? [];
      return file === undefined || others.length > 0 ? statement : `${start}${JSON.stringify(file)})`;
    });
}

/** What a list imports, by the file that says it; what no file says stays with the index. Undefined: not a package of ours with sources. */
function filesOf(list, specifier, importer) {
  const index = entryOf(specifier, dirname(importer));
  if (index === undefined) return undefined;
  const exported = namesOf(index);
  const byFile = new Map();
  for (const item of list.split(',').map((part) => part.trim())) {
    if (item === '' || item.startsWith('type ')) continue;
    const file = exported.get(item.split(/ as |: /)[0].trim()) ?? specifier;
    byFile.set(file, [...(byFile.get(file) ?? []), item]);
  }
  return byFile;
}

const entries = new Map();

/** The source behind `@coxswain/x` or `@coxswain/x/y`, as the importer's folder sees it. */
function entryOf(specifier, from) {
  const [scope, name, ...rest] = specifier.split('/');
  const folder = packageFolder(`${scope}/${name}`, from);
  const key = `${folder}:${rest.join('/')}`;
  if (folder !== undefined && !entries.has(key)) {
    const { exports = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const target = exports[rest.length === 0 ? '.' : `./${rest.join('/')}`]?.[CONDITION];
    entries.set(key, target === undefined ? undefined : resolve(folder, target));
  }
  return entries.get(key);
}

function packageFolder(name, from) {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return realpathSync(folder);
    if (at === dirname(at)) return undefined;
  }
}

const known = new Map();

/** Which file says what a module exports: values by name. Names that two files say are left out, and so are imported as before. */
function namesOf(file) {
  const found = known.get(file);
  if (found) return found;
  const names = new Map();
  known.set(file, names);
  const text = readFileSync(file, 'utf8');
  for (const [, name] of text.matchAll(/^export (?:abstract )?(?:async )?(?:const|let|class|enum|function\*?) (\w+)/gm)) names.set(name, file);
  for (const [, list, from] of text.matchAll(/^export \{([^}]*)\}(?: from '([^']+)')?;/gm)) {
    for (const item of list.split(',').map((part) => part.trim())) {
      if (item === '' || item.startsWith('type ')) continue;
      const [name, renamed] = item.split(' as ').map((part) => part.trim());
      const source = from?.startsWith('.') ? sourceOf(from, file) : undefined;
      // Renamed on the way, or imported first: the module itself is where it is.
      names.set(renamed ?? name, (renamed === undefined && source && namesOf(source).get(name)) || file);
    }
  }
  for (const [, from] of text.matchAll(/^export \* from '(\.[^']+)';/gm)) {
    const source = sourceOf(from, file);
    for (const [name, where] of namesOf(source)) if (names.get(name) !== file) names.set(name, where);
  }
  return names;
}

const sourceOf = (specifier, importer) =>
  resolve(dirname(importer), specifier).replace(/\.js$/, existsSync(resolve(dirname(importer), specifier).replace(/\.js$/, '.ts')) ? '.ts' : '.tsx');

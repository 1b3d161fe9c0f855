import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * Take out of the written chunks the imports for nothing but effect of chunks that have none. esbuild gives an entry every chunk its files can reach
 * by any import, used or not, so one import of a package's index would load all that anybody uses of the package and of those it imports.
 * The text keeps its length: source maps hold.
 */
export async function pruneImports({ inputs, outputs }, { root }) {
  const pure = (file) => inputs[file]?.format === 'cjs' || (inputs[file] !== undefined && declaresNoSideEffects(resolve(root, file)));
  const effective = new Set(
    Object.entries(outputs)
      .filter(([, output]) => !Object.entries(output.inputs).every(([file, { bytesInOutput }]) => bytesInOutput === 0 || pure(file)))
      .map(([path]) => path),
  );
  const scripts = Object.keys(outputs).filter((path) => path.endsWith('.cjs'));
  await Promise.all(
    scripts.map(async (path) => {
      const file = join(root, path);
      const text = await readFile(file, 'utf8');
      const pruned = text.replace(/(?<=^|[;\n])import"(\.\.?\/[^"]+\.cjs)";/g, (statement, target) => {
        const imported = relative(root, resolve(dirname(file), target));
        return outputs[imported] === undefined || effective.has(imported) ? statement : ' '.repeat(statement.length);
      });
      if (pruned !== text) await writeFile(file, pruned);
    }),
  );
}

const declared = new Map();

/** By the nearest package.json, as bundlers read it. A list there names files that have some: taken as if all had. */
function declaresNoSideEffects(file) {
  const folder = dirname(file);
  let known = declared.get(folder);
  if (known === undefined) {
    try {
      const { name, sideEffects } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      known = name === undefined && sideEffects === undefined ? declaresNoSideEffects(folder) : sideEffects === false;
    } catch {
      known = folder !== dirname(folder) && declaresNoSideEffects(folder);
    }
    declared.set(folder, known);
  }
  return known;
}

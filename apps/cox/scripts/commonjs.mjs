import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { parse } from 'acorn';
import { full, fullAncestor } from 'acorn-walk';

/**
 * Make CommonJS modules of the chunks that esbuild wrote, since only scripts can be compiled from a code cache (src/loader). esbuild splits code
 * for ES modules alone, and what it writes is simple: imports and one list of exports at the top level, chunks that import each other
 * in one direction. So an import becomes a constant. Where that would not hold, as for an exported variable that is set later, this throws.
 * All other text stays in its column, one line further down.
 *
 * Returns a hash of all that was written.
 */
export async function toCommonJs(folder, names) {
  const written = await Promise.all(
    names.map(async (name) => {
      const file = join(folder, name);
      const text = commonJs(await readFile(file, 'utf8'), name);
      // Says where the mistake is, if there is one.
      new Script(`(function (exports, require, module, __filename) {${text}\n})`, { filename: file });
      const map = JSON.parse(await readFile(`${file}.map`, 'utf8'));
      await writeFile(`${file}.map`, JSON.stringify({ ...map, mappings: `;${map.mappings}` }));
      await writeFile(file, text);
      return text;
    }),
  );
  return createHash('sha256').update(written.join('\0')).digest('hex');
}

/** As long as what they stand for, so that columns stay. */
const LAZY_IMPORT = 'lazily';
const OWN_URL = '__this_file_url';

export function commonJs(text, name) {
  const program = parse(text, { ecmaVersion: 'latest', sourceType: 'module' });
  const head = [];
  const edits = [];
  const edit = ({ start, end }, replacement) => edits.push({ start, end, replacement });
  const exported = new Set();
  for (const statement of program.body) {
    if (statement.type === 'ImportDeclaration') {
      head.push(requireInstead(statement));
      edit(statement, ' '.repeat(statement.end - statement.start));
    } else if (statement.type === 'ExportNamedDeclaration' && statement.source === null && statement.declaration === null) {
      for (const { local } of statement.specifiers) exported.add(local.name);
      edit(statement, statement.specifiers.map(({ local, exported }) => `exports.${exported.name}=${local.name};`).join(''));
    } else if (statement.type.startsWith('Export'))
      throw new Error(`${name}: esbuild wrote ${text.slice(statement.start, statement.start + 80)}…, which commonjs.mjs does not know`);
  }
  full(program, (node) => {
    if (node.type === 'ImportExpression') edit({ start: node.start, end: node.start + LAZY_IMPORT.length }, LAZY_IMPORT);
    else if (node.type === 'MetaProperty' && node.meta.name === 'import') {
      const end = node.start + OWN_URL.length;
      if (text.slice(node.start, end) !== 'import.meta.url') throw new Error(`${name}: commonjs.mjs knows import.meta.url, and no more of import.meta`);
      edit({ start: node.start, end }, OWN_URL);
    }
  });
  for (const variable of setLater(program))
    if (exported.has(variable)) throw new Error(`${name} exports ${variable} and sets it later: whoever imports it would not see that`);
  if (edits.some(({ replacement }) => replacement === LAZY_IMPORT)) head.push(`const ${LAZY_IMPORT}=async specifier=>require(specifier);`);
  if (edits.some(({ replacement }) => replacement === OWN_URL)) head.push(`const ${OWN_URL}=require("node:url").pathToFileURL(__filename).href;`);
  let at = 0;
  let body = '';
  for (const { start, end, replacement } of edits.sort((a, b) => a.start - b.start)) {
    body += text.slice(at, start) + replacement;
    at = end;
  }
  return `"use strict";${head.join('')}\n${body}${text.slice(at)}`;
}

function requireInstead({ source, specifiers }) {
  const module = `require(${JSON.stringify(source.value)})`;
  if (specifiers.length === 0) return `${module};`;
  const ours = source.value.startsWith('.');
  const named = [];
  let code = '';
  for (const { type, imported, local } of specifiers) {
    const wanted = type === 'ImportDefaultSpecifier' ? 'default' : imported?.name;
    // Modules of Node and packages outside the bundle are CommonJS: whole, they are their own default.
    if (type === 'ImportNamespaceSpecifier' || (wanted === 'default' && !ours)) code += `const ${local.name}=${module};`;
    else named.push(wanted === local.name ? wanted : `${wanted}:${local.name}`);
  }
  return named.length === 0 ? code : `${code}const{${named.join()}}=${module};`;
}

/** Names of variables that a function sets: perhaps after the module was evaluated. */
function setLater(program) {
  const names = new Set();
  fullAncestor(program, (node, _state, ancestors) => {
    const set = node.type === 'AssignmentExpression' ? node.left : node.type === 'UpdateExpression' ? node.argument : undefined;
    if (set?.type === 'Identifier' && ancestors.some(({ type }) => /Function|PropertyDefinition|StaticBlock/.test(type))) names.add(set.name);
  });
  return names;
}

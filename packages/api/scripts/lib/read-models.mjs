// Reads the models of @kubernetes/client-node: field names, types, optional marks and descriptions.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const SERVED = /^(?:V1|V2|[A-Z][a-z]+V1)(?=[A-Z])[A-Za-z]+\.d\.ts$|^VersionInfo\.d\.ts$/;
const COMMENT_AND_FIELD = /(?:\/\*\*\s*\n\s*\* (.*)\n\s*\*\/\s*)?\n? {4}'([^']+)'(\?)?: ([^;{]*(?:\{[^}]*\}[^;]*)?);\n/g;

/** Every GA model: `{ model, description, fields: [{ name, type, format, optional, description }] }`. */
export function readModels() {
  const main = createRequire(import.meta.url).resolve('@kubernetes/client-node');
  const folder = join(dirname(main), 'gen', 'models');
  return readdirSync(folder)
    .filter((file) => SERVED.test(file))
    .map((file) => readModel(folder, file.slice(0, -'.d.ts'.length)));
}

function readModel(folder, model) {
  const declaration = readFileSync(join(folder, `${model}.d.ts`), 'utf8');
  const code = readFileSync(join(folder, `${model}.js`), 'utf8');
  const attributes = JSON.parse(/attributeTypeMap = (\[[\s\S]*?\n\]);|attributeTypeMap = (\[\]);/.exec(code)?.[1] ?? '[]');
  const byName = new Map(attributes.map((attribute) => [attribute.name, attribute]));
  const start = declaration.indexOf('export declare class');
  const head = declaration.slice(0, start);
  const description = /\/\*\*\n\* (.*)\n\*\/\s*$/.exec(head)?.[1];
  const fields = [...declaration.slice(start).matchAll(COMMENT_AND_FIELD)].map(([, comment, name, optional, type]) => ({
    name: byName.get(name)?.baseName ?? name,
    type: type.replace(/\s+/g, ' '),
    format: byName.get(name)?.format ?? '',
    optional: optional === '?',
    description: comment && unescaped(comment),
  }));
  return { model, description: description && unescaped(description), fields };
}

const unescaped = (text) => text.replace(/\\(['"`\\])/g, '$1');

// Reads facts/*.txt: `{ openapiName → { package, group, version, top, atomic, fields: Map(name → { path, tokens }) } }`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../facts/', import.meta.url));

export function readFacts() {
  const structs = new Map();
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()) {
    let home;
    let struct;
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      if (line.startsWith('package ')) home = packageOf(line);
      else if (line.startsWith('  ')) addField(struct, line);
      else if (line !== '' && !line.startsWith('#')) {
        const [name, ...flags] = line.split(' ');
        struct = { ...home, name, top: flags.includes('top'), atomic: flags.includes('atomic'), fields: new Map() };
        structs.set(`${home.package}.${name}`, struct);
      }
    }
  }
  return structs;
}

function packageOf(line) {
  const [, name, ...pairs] = line.split(' ');
  return { package: name, ...Object.fromEntries(pairs.map((pair) => pair.split('='))) };
}

function addField(struct, line) {
  const [name, path, ...tokens] = line.trim().split(' ');
  const facts = { path: path.split('.').map(Number) };
  for (const token of tokens) {
    const [, key, value] = /^(\w+)(?:=(.*))?$/.exec(token);
    facts[key] = value ?? true;
  }
  struct.fields.set(name, facts);
}

// Enough of a Go parser for API type declarations: structs with tags and `// +marker` comments, named types, constants.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export function parseGoPackage(folder) {
  const result = { types: new Map(), constants: new Map(), imports: new Map(), group: undefined };
  const enumTypes = new Set();
  const enumValues = new Map();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.go') && !/_test\.go$|^zz_|generated|swagger/.test(name))) {
    const source = readFileSync(join(folder, file), 'utf8');
    result.group ??= /GroupName\s*=\s*"([^"]*)"/.exec(source)?.[1];
    for (const [, alias, path] of source.matchAll(/^\s*(?:import )?(\w+)?\s*"(k8s\.io\/[^"]+)"$/gm)) {
      result.imports.set(alias ?? path.split('/').pop(), path);
    }
    parseLines(source.split('\n'), result, enumTypes, enumValues);
  }
  for (const name of enumTypes) {
    const type = result.types.get(name);
    if (type?.kind === 'alias') type.enum = [...new Set(enumValues.get(name) ?? [])].sort();
  }
  return result;
}

function parseLines(lines, result, enumTypes, enumValues) {
  let comments = [];
  let struct;
  let depth = 0;
  for (const raw of lines) {
    const line = raw.trim();
    if (line.startsWith('//')) {
      comments.push(line);
      continue;
    }
    const value = /^(\w+)\s+(\w+)?\s*=\s*"([^"]*)"/.exec(line.replace(/^const\s+/, '')) ?? /^(\w+)()\s*=\s*"([^"]*)"/.exec(line);
    if (value && !struct) {
      result.constants.set(value[1], value[3]);
      if (value[2]) enumValues.set(value[2], [...(enumValues.get(value[2]) ?? []), value[3]]);
    }
    if (!struct) {
      const start = /^type (\w+) struct \{(\})?/.exec(line);
      const alias = /^type (\w+) ([\w.*[\]]+)$/.exec(line);
      if (start) {
        struct = { kind: 'struct', markers: markersOf(comments), fields: [] };
        result.types.set(start[1], struct);
        depth = 1;
        if (start[2]) struct = undefined;
      } else if (alias) {
        result.types.set(alias[1], { kind: 'alias', type: alias[2] });
        if (comments.some((comment) => /^\/\/ ?\+enum\b/.test(comment))) enumTypes.add(alias[1]);
      }
    } else if (line === '}' && --depth === 0) {
      struct = undefined;
    } else if (line.includes('`')) {
      struct.fields.push(fieldOf(line, comments));
    }
    if (line !== '' || !struct) comments = line === '' ? [] : comments;
    if (line !== '') comments = [];
  }
}

function fieldOf(line, comments) {
  const [, declaration, tags] = /^(.*?)\s*`(.*)`/.exec(line);
  const words = declaration.trim().split(/\s+/);
  const tag = (name) => new RegExp(`(?:^|\\s)${name}:"([^"]*)"`).exec(tags)?.[1];
  const [json, ...options] = (tag('json') ?? '').split(',');
  const number = /^\w+,(\d+)/.exec(tag('protobuf') ?? '')?.[1];
  return {
    type: words.length > 1 ? words.slice(1).join(' ') : words[0],
    json: json === '-' ? undefined : json,
    inline: options.includes('inline') || json === '',
    omitempty: options.includes('omitempty'),
    omitzero: options.includes('omitzero'),
    number: number === undefined ? undefined : Number(number),
    patchStrategy: tag('patchStrategy'),
    patchMergeKey: tag('patchMergeKey'),
    markers: markersOf(comments),
  };
}

function markersOf(comments) {
  const markers = {};
  for (const comment of comments) {
    const [, key, value] = /^\/\/\s*\+(\w+)(?:=(.*))?$/.exec(comment.trimEnd()) ?? [];
    if (key === 'listType' || key === 'mapType' || key === 'structType' || key === 'default') markers[key] = value.trim();
    if (key === 'listMapKey') (markers.listMapKeys ??= []).push(value.trim());
  }
  return markers;
}

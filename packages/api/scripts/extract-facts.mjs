// One-off: reads interface facts (field numbers, list and merge keys, enums, defaults, zero-value rules) from upstream's Go type
// declarations and writes facts/*.txt. Run again when the pinned API version moves:
//   node scripts/extract-facts.mjs <folder with k8s.io/api, k8s.io/apimachinery> [<folder with k8s.io/apiextensions-apiserver>]
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseGoPackage } from './lib/parse-go.mjs';

const roots = process.argv.slice(2);
const facts = fileURLToPath(new URL('../facts/', import.meta.url));
const find = (path) => roots.map((root) => join(root, path)).find((folder) => existsSync(folder));

const WANTED = [
  'k8s.io/apimachinery/pkg/apis/meta/v1',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1',
  ...readdirSync(find('k8s.io/api')).flatMap((group) =>
    ['v1', 'v2'].map((version) => `k8s.io/api/${group}/${version}`).filter((path) => find(path) && group !== 'testdata'),
  ),
];

/** Only looked through for named strings such as UID; no facts are written of them. */
const HELPERS = ['k8s.io/apimachinery/pkg/types'];

const packages = new Map();
for (const path of [...WANTED, ...HELPERS]) packages.set(path, parseGoPackage(find(path)));

/** Types with their own JSON form, which the schema knows as a kind of their own or as "any". */
const OPAQUE = /^(?:JSON|JSONSchemaPropsOr\w+|Time|MicroTime|Timestamp|Duration|FieldsV1|TypeMeta|InternalEvent|RawExtension)$/;
const OWN_JSON = /(?:^|\.)(?:Time|MicroTime|IntOrString|RawExtension|JSON|FieldsV1|Duration)$/;

/** Follows a Go type expression to its leaf: scalars, quantities, structs, through named types of any wanted package. */
function resolve(expression, path) {
  const type = expression.replace(/^\*/, '');
  const pointer = expression.startsWith('*');
  if (type === '[]byte') return { leaf: 'bytes', pointer, shape: 'scalar' };
  if (type.startsWith('[]')) return { ...resolve(type.slice(2), path), pointer, shape: 'list' };
  const map = /^map\[[^\]]+\](.*)$/.exec(type);
  if (map) return { ...resolve(map[1], path), pointer, shape: 'map' };
  if (/^(?:string|bool|int32|int64|float64|int|byte|uint8)$/.test(type)) return { leaf: type, pointer, shape: 'scalar' };
  if (/^resource\.Quantity$/.test(type)) return { leaf: 'quantity', pointer, shape: 'scalar' };
  const [alias, name] = type.includes('.') ? type.split('.') : [undefined, type];
  const home = alias === undefined ? path : packages.get(path).imports.get(alias);
  const found = packages.get(home)?.types.get(name);
  if (found?.kind === 'alias') {
    const inner = resolve(found.type, home);
    return { ...inner, pointer, enum: found.enum, wrapped: inner.shape === 'list' || inner.shape === 'map' ? name : undefined };
  }
  return { leaf: 'struct', pointer, shape: 'scalar', home, struct: name, go: type };
}

function fieldLine(field, path, embed) {
  const type = resolve(field.type, path);
  const { markers } = field;
  const out = [`${field.json}`, [...embed, field.number].join('.')];
  if (type.leaf === 'quantity') out.push('quantity');
  if (type.leaf === 'bytes') out.push('bytes');
  if (type.leaf === 'int32' || type.leaf === 'int64') out.push(type.leaf);
  if (type.wrapped && !['ResourceList', 'FieldsV1'].includes(type.wrapped)) out.push(`wrap=${type.wrapped}`);
  if (markers.listType) out.push(`list=${[markers.listType, ...(markers.listMapKeys ?? [])].join(':')}`);
  if (markers.mapType === 'atomic' || markers.structType === 'atomic') out.push('atomic');
  if (field.patchStrategy) out.push(`patch=${field.patchStrategy}`);
  if (field.patchMergeKey) out.push(`key=${field.patchMergeKey}`);
  if (type.enum && type.shape === 'scalar') out.push(`enum=${type.enum.join('|')}`);
  if (markers.default !== undefined) out.push(`default=${constant(markers.default, path)}`);
  if (!type.pointer && !OWN_JSON.test(type.go ?? '') && !field.omitzero) {
    const structLike = type.shape === 'scalar' && (type.leaf === 'struct' || type.leaf === 'quantity');
    if (!field.omitempty || structLike) out.push('emit');
    else out.push('omit');
  }
  return `  ${out.join(' ')}`;
}

function constant(text, path) {
  const reference = /^ref\((?:.*\.)?(\w+)\)$/.exec(text);
  return reference ? JSON.stringify(packages.get(path).constants.get(reference[1])) : text;
}

function fieldLines(struct, path, embed = []) {
  return struct.fields.flatMap((field) => {
    if (field.json) return field.number === undefined && !embed.length ? [fieldLine({ ...field, number: 0 }, path, embed)] : [fieldLine(field, path, embed)];
    if (field.type.endsWith('TypeMeta') || !field.inline) return [];
    const inner = resolve(field.type, path);
    const target = packages.get(inner.home)?.types.get(inner.struct);
    return target?.kind === 'struct' ? fieldLines(target, inner.home, field.number === undefined ? embed : [...embed, field.number]) : [];
  });
}

for (const path of WANTED) {
  const parsed = packages.get(path);
  const openapi = path.replace(/^k8s\.io/, 'io.k8s').replaceAll('/', '.');
  const lines = [`package ${openapi} group=${parsed.group ?? ''} version=${path.split('/').pop()}`];
  for (const [name, type] of [...parsed.types].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (type.kind !== 'struct' || !/^[A-Z]/.test(name) || OPAQUE.test(name)) continue;
    const top = type.fields.some((field) => field.type.endsWith('TypeMeta'));
    const flags = [top && 'top', type.markers.structType === 'atomic' && 'atomic'].filter(Boolean);
    lines.push([name, ...flags].join(' '), ...fieldLines(type, path));
  }
  writeFileSync(`${facts}${openapi}.txt`, `${lines.join('\n')}\n`);
}

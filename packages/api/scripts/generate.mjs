// Makes src/generated/* from the pinned @kubernetes/client-node models and the tables in facts/. Takes well under three seconds.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { emitTypes } from './lib/emit-types.mjs';
import { readModels } from './lib/read-models.mjs';

const out = fileURLToPath(new URL('../src/generated/', import.meta.url));
mkdirSync(out, { recursive: true });
const models = readModels();
writeFileSync(`${out}types.ts`, emitTypes(models));

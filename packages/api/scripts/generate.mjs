// Makes src/generated/* from the pinned @kubernetes/client-node models and the tables in facts/. Takes well under three seconds.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { emitDescriptions, emitSchemas } from './lib/emit-schemas.mjs';
import { emitTypes } from './lib/emit-types.mjs';
import { join } from './lib/join.mjs';
import { readFacts } from './lib/read-facts.mjs';
import { readModels } from './lib/read-models.mjs';

const out = fileURLToPath(new URL('../src/generated/', import.meta.url));
mkdirSync(out, { recursive: true });
const joined = join(readModels(), readFacts());
write('types.ts', emitTypes(joined));
write('schema-table.ts', emitSchemas(joined));
write('description-table.ts', emitDescriptions(joined));

/** Rename last: another process may be reading. */
function write(file, text) {
  writeFileSync(`${out}.${file}.${process.pid}`, text);
  renameSync(`${out}.${file}.${process.pid}`, `${out}${file}`);
}

import type { ProtobufWriter } from './protobuf-writer.js';
import type { JsonSchema } from './schema-json.js';

/** Repeated {name = 1, value = 2}. */
export function named<T>(
  w: ProtobufWriter,
  field: number,
  entries: Readonly<Record<string, T>> | undefined,
  write: (w: ProtobufWriter, value: T) => void,
): void {
  for (const [name, value] of Object.entries(entries ?? {})) {
    w.message(field, () => {
      w.string(1, name);
      w.message(2, () => write(w, value));
    });
  }
}

/** Values of any form travel as YAML, of which JSON is a part. */
export function any(w: ProtobufWriter, value: unknown): void {
  w.string(2, `${JSON.stringify(value)}\n`);
}

export function extensions(w: ProtobufWriter, field: number, of: JsonSchema): void {
  for (const name of Object.keys(of)) {
    if (!name.startsWith('x-')) continue;
    w.message(field, () => {
      w.string(1, name);
      w.message(2, () => any(w, of[name]));
    });
  }
}

export function strings(w: ProtobufWriter, field: number, values: readonly string[] | undefined): void {
  for (const value of values ?? []) w.string(field, value);
}

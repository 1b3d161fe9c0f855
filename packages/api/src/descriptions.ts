/** Says what a type, or one of its fields, is for; undefined when upstream says nothing. */
export type Describe = (schema: string, field?: string) => string | undefined;

let loaded: Promise<Describe> | undefined;

/** Descriptions for OpenAPI and `kubectl explain`. Loaded apart from the schemas, so that only who serves them pays for them. */
export function loadDescriptions(): Promise<Describe> {
  loaded ??= import('./generated/description-table.js').then(({ descriptionTable }) => parse(descriptionTable));
  return loaded;
}

function parse(table: string): Describe {
  const texts = new Map<string, string>();
  let schema = '';
  for (const line of table.split('\n')) {
    const [name = '', first = '', text = ''] = line.split('\t');
    if (name !== '') {
      schema = name;
      if (first !== '') texts.set(schema, first);
    } else {
      texts.set(`${schema}/${first}`, text);
    }
  }
  return (name, field) => texts.get(field === undefined ? name : `${name}/${field}`);
}

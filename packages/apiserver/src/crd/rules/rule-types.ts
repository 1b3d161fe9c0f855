import { CelEnvironment, checkTypes, escapeName } from '@coxswain/cel';
import { itemsOf, valuesOf } from '../json-schema.js';
import type { JsonSchema } from '../json-schema.js';

type Registering = Parameters<NonNullable<ConstructorParameters<typeof CelEnvironment>[1]>>[0];

/** Types whose values fit no others, whatever is done with them. */
const PLAIN = '(?:int|string|bool)';
const SELECTION = new RegExp(`: type '${PLAIN}' does not support field selection$`);
const OPERATION = new RegExp(`: found no matching overload for '_(?:==|!=|<|<=|>|>=|\\+)_' applied to '\\((${PLAIN}), (${PLAIN})\\)'$`);

/**
 * What cannot be of the types that the schema gives: a field of a number, a text compared with a number, a rule that is no bool. Only what is
 * wrong beyond doubt is said; the rest shows when the rule runs. Undefined: nothing.
 */
export function typeProblem(schema: JsonSchema, resource: boolean, source: string, wanted: 'bool' | 'string'): string | undefined {
  const { type, warning } = checkTypes(typedEnvironment(schema, resource), source);
  if (warning !== undefined) {
    const [line = ''] = warning.split('\n');
    const operands = OPERATION.exec(line);
    const certain = SELECTION.test(line) || (operands !== null && operands[1] !== operands[2]);
    return certain ? `compilation failed: ${warning}` : undefined;
  }
  if (type === undefined || type === wanted || !new RegExp(`^${PLAIN}$`).test(type)) return undefined;
  return wanted === 'bool' ? 'cel expression must evaluate to a bool' : 'messageExpression must evaluate to a string';
}

const environments = new WeakMap<JsonSchema, CelEnvironment>();

function typedEnvironment(schema: JsonSchema, resource: boolean): CelEnvironment {
  let environment = environments.get(schema);
  if (!environment) {
    environment = new CelEnvironment(['oldSelf'], (env) => env.registerVariable('self', declare(env, 'self', schema, resource)));
    environments.set(schema, environment);
  }
  return environment;
}

/** The type of a schema, by the path of what has it; `dyn`, which fits everything, for what is not one plain type. */
function declare(env: Registering, path: string, schema: JsonSchema, resource: boolean): string {
  if (schema['x-kubernetes-int-or-string']) return 'dyn';
  switch (schema.type) {
    case 'string':
      // Some formats are times, spans of time and bytes to rules.
      return schema.format === undefined ? 'string' : 'dyn';
    case 'integer':
      return 'int';
    case 'boolean':
      return 'bool';
    case 'array': {
      const items = itemsOf(schema);
      return items ? `list<${declare(env, `${path}.@idx`, items, false)}>` : 'dyn';
    }
    case 'object':
      return declareObject(env, path, schema, resource);
    default:
      return 'dyn';
  }
}

function declareObject(env: Registering, path: string, schema: JsonSchema, resource: boolean): string {
  const values = valuesOf(schema);
  if (values) return `map<string, ${declare(env, `${path}.@elem`, values, false)}>`;
  const embedded = resource || schema['x-kubernetes-embedded-resource'] === true;
  const properties = Object.entries(schema.properties ?? {});
  if (schema['x-kubernetes-preserve-unknown-fields'] || (properties.length === 0 && !embedded)) return 'dyn';
  const fields: Record<string, string> = embedded ? { apiVersion: 'string', kind: 'string', metadata: 'dyn' } : {};
  for (const [name, property] of properties) {
    const escaped = escapeName(name);
    if (escaped !== undefined && !(embedded && name === 'metadata')) fields[escaped] = declare(env, `${path}.${escaped}`, property, false);
  }
  env.registerType(path, { fields });
  return path;
}

import { decode } from '../decode/decode.js';
import type { KubeObject, ResourceDefinition, ResourceStrategy, StrategyContext } from '../definition.js';
import { findDefinition } from '../definitions/definitions.js';
import type { JsonObject } from '../schema.js';

export const context: StrategyContext = { now: Date.parse('2026-01-02T03:04:05Z'), random: () => 0.5, user: { name: 'ann', groups: ['dev'] } };

export function definitionOf(object: KubeObject): ResourceDefinition {
  const [version = '', group = ''] = object.apiVersion.split('/').reverse();
  const definition = findDefinition(group, version, object.kind);
  if (!definition) throw new Error(`no definition of ${object.apiVersion} ${object.kind}`);
  return definition;
}

/** What a create does to an object before it is stored; errors as `field: message`. */
export function admit(input: object): Outcome {
  const object = structuredClone(input) as KubeObject;
  const definition = definitionOf(object);
  if (definition.namespaced) object.metadata = { namespace: 'default', ...object.metadata };
  object.metadata = { uid: 'u-1', ...object.metadata };
  const decoded = decode(object as JsonObject, definition.schema);
  definition.strategy.default?.(object);
  definition.strategy.prepareForCreate?.(object, context);
  definition.strategy.canonicalize?.(object);
  const errors = definition.strategy.validate?.(object) ?? [];
  return {
    object,
    errors: [...decoded.errors, ...errors.map(({ field, message }) => `${field}: ${message}`)],
    warnings: definition.strategy.warnings?.(object) ?? [],
  };
}

/** What an update does; `change` edits a copy of the stored object. */
export const update = (stored: KubeObject, change: (object: KubeObject) => void): Outcome => updateBy(definitionOf(stored).strategy, stored, change);

/** The same through the status subresource. */
export function updateStatus(stored: KubeObject, change: (object: KubeObject) => void): Outcome {
  const { strategy, subresources } = definitionOf(stored);
  const status = subresources.find(({ type }) => type === 'status');
  if (status?.type !== 'status') throw new Error(`${stored.kind} has no status`);
  return updateBy({ ...(strategy.default && { default: strategy.default }), ...status.strategy }, stored, change);
}

interface Outcome {
  readonly object: KubeObject;
  readonly errors: string[];
  readonly warnings: string[];
}

function updateBy(strategy: ResourceStrategy, stored: KubeObject, change: (object: KubeObject) => void): Outcome {
  const old = { ...structuredClone(stored), metadata: { ...stored.metadata, resourceVersion: '7' } };
  const object = structuredClone(old);
  change(object);
  strategy.default?.(object);
  strategy.prepareForUpdate?.(object, old, context);
  const errors = [...(strategy.updateIsWhole ? [] : (strategy.validate?.(object) ?? [])), ...(strategy.validateUpdate?.(object, old) ?? [])];
  return { object, errors: errors.map(({ field, message }) => `${field}: ${message}`), warnings: strategy.warnings?.(object, old) ?? [] };
}

import type { KubeObject, ResourceStrategy } from '../definition.js';
import { isDNS1123Label } from '../validation/names.js';

/** Warnings about what pods are made of: told again only when the spec changes. */
export const onNewSpec =
  (warnings: (object: KubeObject, old?: KubeObject) => string[]): NonNullable<ResourceStrategy['warnings']> =>
  (object, old) =>
    old && old.metadata.generation === object.metadata.generation ? [] : warnings(object, old);

/** Names of pods are made of the object's: one that is no DNS label makes trouble. */
export function nameWarnings({ metadata }: KubeObject): string[] {
  const wrong = isDNS1123Label(metadata.name ?? '');
  if (wrong.length === 0) return [];
  const reasons = `[${wrong.join(' ')}]`;
  return [`metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: ${reasons}`];
}

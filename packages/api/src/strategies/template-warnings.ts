import type { KubeObject, ResourceStrategy } from '../definition.js';
import { isDNS1123Label } from '../validation/names.js';

/** Warnings about what pods are made of: told again only when the spec changes. */
export const onNewSpec =
  (warnings: (object: KubeObject, old?: KubeObject) => string[]): NonNullable<ResourceStrategy['warnings']> =>
  (object, old) =>
    old && old.metadata.generation === object.metadata.generation ? [] : warnings(object, old);

function labelReasons({ metadata }: KubeObject): string | undefined {
  const wrong = isDNS1123Label(metadata.name ?? '');
  return wrong.length === 0 ? undefined : `[${wrong.join(' ')}]`;
}

/** Names of pods are made of the object's: one that is no DNS label makes trouble. */
export function nameWarnings(object: KubeObject): string[] {
  const reasons = labelReasons(object);
  if (reasons === undefined) return [];
  return [`metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: ${reasons}`];
}

/** The same of a pod's own name. */
export function hostnameWarnings(object: KubeObject): string[] {
  const reasons = labelReasons(object);
  if (reasons === undefined) return [];
  return [`metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: ${reasons}`];
}

import type { Container, EphemeralContainer, PodSpec } from '../../generated/types.js';

const LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** Every container of a pod, whatever its kind, with where it is. */
export function visitContainers(spec: PodSpec, field: string, visit: (container: Container | EphemeralContainer, path: string) => void): void {
  for (const name of LISTS) {
    const list = spec[name];
    if (list) for (const [index, container] of list.entries()) visit(container, `${field}.${name}[${index}]`);
  }
}

export const containersOf = (spec: PodSpec): (Container | EphemeralContainer)[] =>
  LISTS.flatMap((name): (Container | EphemeralContainer)[] => spec[name] ?? []);

import type { PodSpec } from '../../generated/types.js';

/** Uses of the API that work but should not be: for the `Warning` header. */
export function podWarnings(spec: PodSpec | undefined, field = 'spec'): string[] {
  if (!spec) return [];
  const warnings: string[] = [];
  for (const key of Object.keys(spec.nodeSelector ?? {})) {
    const replaced = OLD_LABELS[key];
    if (replaced) warnings.push(`${field}.nodeSelector[${key}]: deprecated since ${replaced.since}; use "${replaced.use}" instead`);
  }
  for (const [index, { gitRepo, glusterfs }] of (spec.volumes ?? []).entries()) {
    if (gitRepo) warnings.push(`${field}.volumes[${index}].gitRepo: deprecated in v1.11, and disabled by default in v1.33+`);
    if (glusterfs) warnings.push(`${field}.volumes[${index}].glusterfs: deprecated in v1.25, non-functional in v1.26+`);
  }
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      const names = new Map<string, number>();
      for (const [at, { name }] of (container.env ?? []).entries()) {
        const first = names.get(name);
        if (first !== undefined) {
          warnings.push(`${field}.${list}[${index}].env[${at}]: hides previous definition of "${name}", which may be dropped when using apply`);
        }
        names.set(name, at);
      }
      for (const kind of ['requests', 'limits'] as const) {
        const amount = container.resources?.[kind]?.memory;
        if (amount?.endsWith('m')) {
          warnings.push(`${field}.${list}[${index}].resources.${kind}[memory]: fractional byte value "${amount}" is invalid, must be an integer`);
        }
      }
    }
  }
  if (spec.terminationGracePeriodSeconds !== undefined && spec.terminationGracePeriodSeconds < 0) {
    warnings.push(`${field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`);
  }
  return warnings;
}

const OLD_LABELS: Readonly<Record<string, { readonly since: string; readonly use: string }>> = {
  'beta.kubernetes.io/arch': { since: 'v1.14', use: 'kubernetes.io/arch' },
  'beta.kubernetes.io/os': { since: 'v1.14', use: 'kubernetes.io/os' },
  'failure-domain.beta.kubernetes.io/region': { since: 'v1.17', use: 'topology.kubernetes.io/region' },
  'failure-domain.beta.kubernetes.io/zone': { since: 'v1.17', use: 'topology.kubernetes.io/zone' },
  'beta.kubernetes.io/instance-type': { since: 'v1.17', use: 'node.kubernetes.io/instance-type' },
};

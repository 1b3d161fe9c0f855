import type { FieldError, KubeObject } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { AdmissionPlugin } from '@coxswain/sdk';
import { AdmissionOrder } from './order.js';

type Container = { readonly securityContext?: { readonly privileged?: boolean } };

/** Where the pod spec of a kind is, by `group/resource`. */
const SPECS: Readonly<Record<string, readonly string[]>> = {
  '/pods': ['spec'],
  '/podtemplates': ['template', 'spec'],
  '/replicationcontrollers': ['spec', 'template', 'spec'],
  'apps/daemonsets': ['spec', 'template', 'spec'],
  'apps/deployments': ['spec', 'template', 'spec'],
  'apps/replicasets': ['spec', 'template', 'spec'],
  'apps/statefulsets': ['spec', 'template', 'spec'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  'batch/jobs': ['spec', 'template', 'spec'],
};
const SUBRESOURCES = new Set(['', 'ephemeralcontainers']);

/** `--allow-privileged=false`: nobody gets a privileged container. Not one of upstream's plugins, where it is part of validation. */
export function noPrivilegedContainers(): AdmissionPlugin {
  return {
    name: 'AllowPrivileged',
    order: AdmissionOrder.privileged,
    handles: ({ operation, subresource, resource: { group, resource } }) =>
      (operation === 'CREATE' || operation === 'UPDATE') && SUBRESOURCES.has(subresource) && `${group}/${resource}` in SPECS,
    validate({ object, name, kind, resource: { group, resource } }) {
      const path = SPECS[`${group}/${resource}`] ?? [];
      const spec = path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object);
      const errors = privilegedOf(spec as KubeObject['spec'], path.join('.'));
      if (errors.length > 0) throw ApiError.invalid({ group: kind.group, kind: kind.kind }, name, errors);
    },
  };
}

function privilegedOf(spec: KubeObject['spec'], path: string): FieldError[] {
  return ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) =>
    ((spec?.[list] ?? []) as Container[]).flatMap(({ securityContext }, i) =>
      securityContext?.privileged
        ? [
            {
              type: 'FieldValueForbidden' as const,
              field: `${path}.${list}[${i}].securityContext.privileged`,
              message: 'Forbidden: disallowed by cluster policy',
            },
          ]
        : [],
    ),
  );
}

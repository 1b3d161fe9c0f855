import type { ResourceHooks } from '../rest/resource-hooks.js';

/** A namespace goes when its `spec.finalizers` are empty as well; until then it is Terminating. */
export const namespaceHooks: ResourceHooks = {
  holdsDeletion: (namespace) => ((namespace.spec?.finalizers ?? []) as string[]).length > 0,
  markDeleted(namespace) {
    namespace.status = { ...namespace.status, phase: 'Terminating' };
  },
};

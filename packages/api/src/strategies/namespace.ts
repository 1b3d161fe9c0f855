import type { KubeObject, ResourceStrategy } from '../definition.js';
import { defaultNamespace } from '../defaults/core.js';
import type { Namespace } from '../generated/types.js';
import { validateNamespace, validateNamespaceFinalize, validateNamespaceStatusUpdate } from '../validation/namespace.js';
import { nameIsDNSLabel } from '../validation/names.js';
import type { StrategyParts } from './lifecycle.js';

const KUBERNETES = 'kubernetes';

export const namespaceStrategy: StrategyParts = {
  default: (object) => defaultNamespace(object as Namespace),
  prepareForCreate(object) {
    const namespace = object as Namespace;
    namespace.status = { phase: 'Active' };
    const finalizers = namespace.spec?.finalizers ?? [];
    namespace.spec = { ...namespace.spec, finalizers: finalizers.includes(KUBERNETES) ? finalizers : [...finalizers, KUBERNETES] };
  },
  canonicalize: (object) => addNameLabel(object as Namespace),
  prepareForUpdate(object, old) {
    (object as Namespace).spec = { ...(object as Namespace).spec, finalizers: (old as Namespace).spec?.finalizers ?? [] };
    addNameLabel(object as Namespace);
  },
  validate: (object) => validateNamespace(object as Namespace),
  validateName: nameIsDNSLabel,
};

/** Also repairs an update that drops or changes it. */
function addNameLabel({ metadata }: Namespace): void {
  if (metadata.name) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
}

export const namespaceStatusStrategy: ResourceStrategy = {
  validateName: nameIsDNSLabel,
  validateUpdate: (object, old) => validateNamespaceStatusUpdate(object as Namespace, old as Namespace),
};

/** namespaces/finalize: only `spec.finalizers` is written. */
export const namespaceFinalizeStrategy: ResourceStrategy = {
  validateName: nameIsDNSLabel,
  validate: (object) => validateNamespaceFinalize(object as Namespace),
};

export const mergeFinalizers = (stored: KubeObject, written: KubeObject): KubeObject => ({
  ...stored,
  metadata: { ...stored.metadata, ...(written.metadata.resourceVersion && { resourceVersion: written.metadata.resourceVersion }) },
  spec: { ...stored.spec, finalizers: written.spec?.finalizers ?? [] },
});

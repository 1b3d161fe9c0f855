import type { KubeObject } from '@coxswain/api';
import { compareQuantities } from '@coxswain/api';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import { isFor, lookup, objects, refuse } from './admission-env.js';
import type { AdmissionEnv } from './admission-env.js';
import { AdmissionOrder } from './order.js';

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const BETA_DEFAULT_CLASS = 'storageclass.beta.kubernetes.io/is-default-class';
const DEFAULT_INGRESS_CLASS = 'ingressclass.kubernetes.io/is-default-class';
const PROTECTION: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
  'volumeattributesclasses.storage.k8s.io': 'kubernetes.io/vac-protection',
};
const protectionOf = ({ group, resource }: AdmissionRequest['resource']) => PROTECTION[group === '' ? resource : `${resource}.${group}`];

/** The default among candidates: the newest, then the first by name. */
function newestDefault(candidates: Iterable<KubeObject>, isDefault: (object: KubeObject) => boolean): KubeObject | undefined {
  const found = [...candidates].filter(isDefault);
  found.sort((a, b) => {
    const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
    if (x !== y) return x > y ? -1 : 1;
    return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
  });
  return found[0];
}

export function defaultStorageClass(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    order: AdmissionOrder.defaultStorageClass,
    handles: (request) => request.operation === 'CREATE' && isFor(request, '', 'persistentvolumeclaims'),
    admit({ object }) {
      if (!object?.spec || object.spec.storageClassName !== undefined || object.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined)
        return;
      const chosen = newestDefault(
        objects(env, 'storage.k8s.io', 'storageclasses'),
        ({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true' || metadata.annotations?.[BETA_DEFAULT_CLASS] === 'true',
      );
      if (chosen) object.spec.storageClassName = chosen.metadata.name;
    },
  };
}

export function defaultIngressClass(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    order: AdmissionOrder.defaultIngressClass,
    handles: (request) => request.operation === 'CREATE' && isFor(request, 'networking.k8s.io', 'ingresses'),
    admit({ object }) {
      if (!object?.spec || object.spec.ingressClassName !== undefined || object.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return;
      const chosen = newestDefault(
        objects(env, 'networking.k8s.io', 'ingressclasses'),
        ({ metadata }) => metadata.annotations?.[DEFAULT_INGRESS_CLASS] === 'true',
      );
      if (chosen) object.spec.ingressClassName = chosen.metadata.name;
    },
  };
}

/** Volumes and claims in use are not removed: a controller takes the finalizer away. */
export function storageObjectInUse(): AdmissionPlugin {
  return {
    name: 'StorageObjectInUseProtection',
    order: AdmissionOrder.storageObjectInUse,
    handles: ({ operation, subresource, resource }) => operation === 'CREATE' && subresource === '' && protectionOf(resource) !== undefined,
    admit({ object, resource }) {
      const finalizer = protectionOf(resource) as string;
      if (object && !object.metadata.finalizers?.includes(finalizer)) object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
    },
  };
}

export function persistentVolumeClaimResize(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    order: AdmissionOrder.persistentVolumeClaimResize,
    handles: (request) => request.operation === 'UPDATE' && isFor(request, '', 'persistentvolumeclaims'),
    validate(request) {
      const size = (claim: KubeObject | undefined) => claim?.spec?.resources?.requests?.storage as string | undefined;
      const [now, before] = [size(request.object), size(request.oldObject)];
      if (now === undefined || before === undefined || now === before || compareQuantities(now, before) <= 0) return;
      if (request.oldObject?.status?.phase !== 'Bound') refuse(request, 'Only bound persistent volume claims can be expanded');
      const name = request.object?.spec?.storageClassName as string | undefined;
      const storageClass = name ? lookup(env, 'storage.k8s.io', 'storageclasses', '', name) : undefined;
      if (storageClass?.allowVolumeExpansion !== true)
        refuse(request, 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize');
    },
  };
}

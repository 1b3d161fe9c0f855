import type { Namespace } from '@coxswain/api';
import { hasStatusCause, isAlreadyExists, isNotFound } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';

const active = (ns: Namespace | undefined): boolean => ns !== undefined && !ns.metadata.deletionTimestamp && ns.status?.phase !== 'Terminating';

/** Creating in a namespace that came or went a moment ago may be refused: not our concern. */
export function unlessGone(error: unknown): void {
  if (!isAlreadyExists(error) && !isNotFound(error) && !hasStatusCause(error, 'NamespaceTerminating')) throw error;
}

/** Every namespace has a service account `default`. */
export function serviceAccountController({ client, informers }: ControllerContext): Controller {
  const namespaces = informers.informer(Resources.namespaces);
  const accounts = informers.informer(Resources.serviceAccounts);
  return {
    name: 'serviceaccount',
    watch(queue) {
      const undo = [
        namespaces.addHandler({ add: (n) => queue.add(n.metadata.name ?? ''), update: (_o, n) => queue.add(n.metadata.name ?? '') }),
        accounts.addHandler({ delete: (a) => queue.add(a.metadata.namespace ?? '') }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(name, signal) {
      if (!active(namespaces.lister.get(name)) || accounts.lister.get('default', name)) return undefined;
      await client.api
        .serviceAccounts(name)
        .create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } }, { signal })
        .catch(unlessGone);
      return undefined;
    },
  };
}

const ROOT_CA = 'kube-root-ca.crt';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Every namespace has the config map `kube-root-ca.crt`, with which pods check the API server. */
export function rootCaController({ client, informers, config }: ControllerContext): Controller {
  const namespaces = informers.informer(Resources.namespaces);
  const maps = informers.informer(Resources.configMaps, { fieldSelector: `metadata.name=${ROOT_CA}` });
  return {
    name: 'root-ca-certificate-publisher',
    watch(queue) {
      const undo = [
        namespaces.addHandler({ add: (n) => queue.add(n.metadata.name ?? ''), update: (_o, n) => queue.add(n.metadata.name ?? '') }),
        maps.addHandler({ update: (_o, m) => queue.add(m.metadata.namespace ?? ''), delete: (m) => queue.add(m.metadata.namespace ?? '') }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(name, signal) {
      if (config.rootCa === '' || !active(namespaces.lister.get(name))) return undefined;
      const current = maps.lister.get(ROOT_CA, name);
      const data = { 'ca.crt': config.rootCa };
      const annotations = { 'kubernetes.io/description': DESCRIPTION };
      if (!current) {
        await client.api
          .configMaps(name)
          .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: ROOT_CA, namespace: name, annotations }, data }, { signal })
          .catch(unlessGone);
      } else if (current.data?.['ca.crt'] !== config.rootCa || Object.keys(current.data).length !== 1) {
        await client.api
          .configMaps(name)
          .update({ ...current, metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, ...annotations } }, data }, { signal });
      }
      return undefined;
    },
  };
}

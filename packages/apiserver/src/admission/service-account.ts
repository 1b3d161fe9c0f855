import type { KubeObject } from '@coxswain/api';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import { randomNameSuffix } from '@coxswain/sdk';
import { isFor, lookup, refuse } from './admission-env.js';
import type { AdmissionEnv } from './admission-env.js';
import { AdmissionOrder } from './order.js';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VOLUME_PREFIX = 'kube-api-access-';
const TOKEN_SECONDS = 3607;
const MIRROR = 'kubernetes.io/config.mirror';

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
}
interface Container {
  volumeMounts?: Mount[];
}

/** Gives pods their service account, its pull secrets, and the volume with its token. */
export function serviceAccount(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    order: AdmissionOrder.serviceAccount,
    handles: (request) => isFor(request, '', 'pods') && (request.operation === 'CREATE' || request.operation === 'UPDATE'),
    admit(request) {
      if (request.operation !== 'CREATE' || !request.object) return;
      const pod = request.object;
      if (pod.metadata.annotations?.[MIRROR] !== undefined) {
        checkMirror(request, pod);
        return;
      }
      const { spec } = pod;
      spec.serviceAccountName ||= 'default';
      // The old name of the field goes with the new one.
      spec.serviceAccount = spec.serviceAccountName;
      const account = lookup(env, '', 'serviceaccounts', request.namespace, spec.serviceAccountName as string);
      if (!account)
        refuse(
          request,
          `error looking up service account ${request.namespace}/${spec.serviceAccountName}: serviceaccount ${JSON.stringify(spec.serviceAccountName)} not found`,
        );
      if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(env, pod);
      if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
        spec.imagePullSecrets = (account.imagePullSecrets as { name: string }[]).map(({ name }) => ({ name }));
    },
    validate(request) {
      const pod = request.object;
      if (request.operation !== 'CREATE' || !pod) return;
      if (!pod.spec?.serviceAccountName && pod.metadata.annotations?.[MIRROR] === undefined) refuse(request, 'no service account specified for pod');
    },
  };
}

function checkMirror(request: AdmissionRequest, pod: KubeObject): void {
  if (pod.spec?.serviceAccountName) refuse(request, 'a mirror pod may not reference service accounts');
  for (const volume of (pod.spec?.volumes ?? []) as { secret?: unknown; projected?: { sources?: { serviceAccountToken?: unknown }[] } }[]) {
    if (volume.secret) refuse(request, 'a mirror pod may not reference secrets');
    if (volume.projected?.sources?.some((source) => source.serviceAccountToken))
      refuse(request, 'a mirror pod may not use ServiceAccountToken volume projections');
  }
}

function mountToken(env: AdmissionEnv, pod: KubeObject): void {
  const { spec } = pod;
  const volumes = (spec.volumes ?? []) as { name: string }[];
  const present = volumes.find((volume) => volume.name.startsWith(VOLUME_PREFIX));
  const name = present?.name ?? `${VOLUME_PREFIX}${randomNameSuffix(env.random)}`;
  let needed = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])] as Container[]) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === MOUNT_PATH)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: MOUNT_PATH }];
    needed = true;
  }
  if (needed && !present) spec.volumes = [...volumes, { name, projected: tokenProjection() }];
}

function tokenProjection(): object {
  return {
    sources: [
      { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
    ],
    defaultMode: 420,
  };
}

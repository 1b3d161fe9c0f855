import { isNotFound, parseTime } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';

const TYPE = 'bootstrap.kubernetes.io/token';

/** Deletes bootstrap tokens when they have expired. */
export function tokenCleanerController({ client, informers, clock }: ControllerContext): Controller {
  const secrets = informers.informer(Resources.secrets, { namespace: 'kube-system', fieldSelector: `type=${TYPE}` });
  const key = (s: { metadata: { namespace?: string; name?: string } }) => `${s.metadata.namespace}/${s.metadata.name}`;
  return {
    name: 'token-cleaner',
    concurrency: 1,
    watch: (queue) => secrets.addHandler({ add: (s) => queue.add(key(s)), update: (_o, s) => queue.add(key(s)) }),
    async reconcile(at, signal) {
      const { namespace, name } = splitKey(at);
      const secret = secrets.lister.get(name, namespace);
      const text = secret?.data?.expiration;
      const expires = text === undefined ? undefined : parseTime(Buffer.from(text, 'base64').toString().trim());
      if (!secret || expires === undefined) return undefined;
      if (expires > clock.now()) return { requeueAfterMs: Math.min(expires - clock.now(), 24 * 3_600_000) };
      try {
        await client.api.secrets(namespace).delete(name, { signal, ...(secret.metadata.uid && { preconditions: { uid: secret.metadata.uid } }) });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return undefined;
    },
  };
}

import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Secret, ServiceAccount } from '@coxswain/api';
import { isNotFound } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { SignJWT } from 'jose';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';

const TYPE = 'kubernetes.io/service-account-token';
const NAME = 'kubernetes.io/service-account.name';
const UID = 'kubernetes.io/service-account.uid';
const PREFIX = 'kubernetes.io/serviceaccount';

/** The key id the API server knows the key by: a hash of the public key. */
export function keyId(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64url');
}

/** A token that does not expire, bound to the secret that carries it. */
export function legacyToken(privateKey: KeyObject, secret: Secret, account: ServiceAccount): Promise<string> {
  const namespace = secret.metadata.namespace ?? '';
  const name = account.metadata.name ?? '';
  const alg = privateKey.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256';
  return new SignJWT({
    [`${PREFIX}/namespace`]: namespace,
    [`${PREFIX}/secret.name`]: secret.metadata.name ?? '',
    [`${PREFIX}/service-account.name`]: name,
    [`${PREFIX}/service-account.uid`]: account.metadata.uid ?? '',
  })
    .setProtectedHeader({ alg, kid: keyId(privateKey) })
    .setIssuer('kubernetes/serviceaccount')
    .setSubject(`system:serviceaccount:${namespace}:${name}`)
    .sign(privateKey);
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Secrets of type service-account-token get their token; those whose account is gone are deleted. */
export function tokenController({ client, informers, config }: ControllerContext): Controller {
  const secrets = informers.informer(Resources.secrets, { fieldSelector: `type=${TYPE}` });
  const accounts = informers.informer(Resources.serviceAccounts);
  const privateKey = config.serviceAccountPrivateKey ? createPrivateKey(config.serviceAccountPrivateKey) : undefined;
  const key = (s: Secret) => `${s.metadata.namespace}/${s.metadata.name}`;
  return {
    name: 'serviceaccount-token',
    watch(queue) {
      const ofAccount = (a: ServiceAccount) => {
        for (const s of secrets.lister.list({ namespace: a.metadata.namespace })) if (s.metadata.annotations?.[NAME] === a.metadata.name) queue.add(key(s));
      };
      const undo = [
        secrets.addHandler({ add: (s) => queue.add(key(s)), update: (_o, s) => queue.add(key(s)) }),
        accounts.addHandler({ add: ofAccount, delete: ofAccount }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal) {
      const { namespace, name } = splitKey(at);
      const secret = secrets.lister.get(name, namespace);
      if (!secret || !privateKey || secret.type !== TYPE) return undefined;
      const accountName = secret.metadata.annotations?.[NAME] ?? '';
      const cached = accounts.lister.get(accountName, namespace);
      const account = cached ?? (accountName === '' ? undefined : await client.api.serviceAccounts(namespace).get(accountName, { signal }).catch(absent));
      const uid = secret.metadata.annotations?.[UID];
      if (!account || (uid && uid !== account.metadata.uid)) {
        await client.api
          .secrets(namespace)
          .delete(name, { signal, ...(secret.metadata.uid && { preconditions: { uid: secret.metadata.uid } }) })
          .catch(absent);
        return undefined;
      }
      const data = { ...secret.data };
      const complete = data.token && data.namespace === base64(namespace) && (config.rootCa === '' || data['ca.crt'] === base64(config.rootCa)) && uid;
      if (complete) return undefined;
      data.token ??= base64(await legacyToken(privateKey, secret, account));
      data.namespace = base64(namespace);
      if (config.rootCa !== '') data['ca.crt'] = base64(config.rootCa);
      await client.api
        .secrets(namespace)
        .update(
          { ...secret, metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [UID]: account.metadata.uid ?? '' } }, data },
          { signal },
        );
      return undefined;
    },
  };
}

function absent(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
  return undefined;
}

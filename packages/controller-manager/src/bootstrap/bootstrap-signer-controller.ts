import { createHmac } from 'node:crypto';
import type { Secret } from '@coxswain/api';
import { parseTime, semanticEqual } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';

const TYPE = 'bootstrap.kubernetes.io/token';
const NAME_PREFIX = 'bootstrap-token-';
const SIGNATURE = 'jws-kubeconfig-';
const KEY = 'cluster-info';

/** A JSON Web Signature (HS256) without its payload, by which a joining node knows the cluster it was told of. */
export function detachedSignature(content: string, tokenId: string, tokenSecret: string): string {
  const encode = (text: string) => Buffer.from(text).toString('base64url');
  const header = encode(JSON.stringify({ alg: 'HS256', kid: tokenId }));
  const signature = createHmac('sha256', tokenSecret)
    .update(`${header}.${encode(content)}`)
    .digest('base64url');
  return `${header}..${signature}`;
}

/** Id and secret of a token that may sign now; undefined: it is none. */
export function signingToken(secret: Secret, now: number): { readonly id: string; readonly secret: string } | undefined {
  const field = (name: string): string =>
    Buffer.from(secret.data?.[name] ?? '', 'base64')
      .toString()
      .trim();
  const id = field('token-id');
  const expiration = field('expiration');
  const ends = expiration === '' ? undefined : parseTime(expiration);
  if (secret.type !== TYPE || secret.metadata.deletionTimestamp || secret.metadata.name !== NAME_PREFIX + id) return undefined;
  if (!/^[a-z0-9]{6}$/.test(id) || field('token-secret') === '' || field('usage-bootstrap-signing') !== 'true') return undefined;
  if (expiration !== '' && (ends === undefined || ends <= now)) return undefined;
  return { id, secret: field('token-secret') };
}

/** Signs `cluster-info` in kube-public with every bootstrap token there is. */
export function bootstrapSignerController({ client, informers, clock }: ControllerContext): Controller {
  const secrets = informers.informer(Resources.secrets, { namespace: 'kube-system', fieldSelector: `type=${TYPE}` });
  const maps = informers.informer(Resources.configMaps, { namespace: 'kube-public', fieldSelector: `metadata.name=${KEY}` });
  return {
    name: 'bootstrap-signer',
    concurrency: 1,
    watch(queue) {
      const look = () => queue.add(KEY);
      const undo = [secrets.addHandler({ add: look, update: look, delete: look }), maps.addHandler({ add: look, update: look })];
      return () => undo.forEach((f) => f());
    },
    async reconcile(_key, signal) {
      const map = maps.lister.get(KEY, 'kube-public');
      const content = map?.data?.['kubeconfig'];
      if (!map || content === undefined) return undefined;
      const data: Record<string, string> = {};
      for (const [name, value] of Object.entries(map.data ?? {})) if (!name.startsWith(SIGNATURE)) data[name] = value;
      for (const secret of secrets.lister.list({ namespace: 'kube-system' })) {
        const token = signingToken(secret, clock.now());
        if (token) data[SIGNATURE + token.id] = detachedSignature(content, token.id, token.secret);
      }
      if (!semanticEqual(data, map.data)) await client.api.configMaps('kube-public').update({ ...map, data }, { signal });
      return undefined;
    },
  };
}

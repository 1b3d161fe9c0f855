import type { FieldError, KubeObject } from '@coxswain/api';
import { ApiError, formatTime } from '@coxswain/apimachinery';
import { respondKind } from '../rest/respond.js';
import type { ActionHandler } from '../rest/resource-handler.js';
import { admissionRequest } from '../rest/admission-request.js';
import type { BoundTo } from '../auth/service-account-tokens.js';
import type { ResourceStorage } from '../storage/resource-storage.js';
import type { ActionEnv } from './action-env.js';
import { readActionBody } from './read-action-body.js';

const KIND = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' } as const;
const DEFAULT_SECONDS = 3600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
/** What the projected volume asks for: such tokens live longer, for clients that do not read them again, and warn. */
const PROJECTED_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;

interface ObjectRef {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly name?: string;
  readonly uid?: string;
}

/** POST serviceaccounts/{name}/token */
export function tokenRequestAction(env: ActionEnv): ActionHandler {
  return async (context, served) => {
    const request = await readActionBody(context, 'TokenRequest', ['authentication.k8s.io/v1']);
    const { namespace, name } = context.resource;
    const account = (served.storage as ResourceStorage).cache.get(namespace, name)?.object;
    if (!account) throw ApiError.notFound(served.groupResource, name);
    const spec = (request.spec ?? {}) as { audiences?: string[]; expirationSeconds?: number; boundObjectRef?: ObjectRef };
    const wanted = spec.expirationSeconds ?? DEFAULT_SECONDS;
    const { maxTokenSeconds = Infinity, extendTokens = true } = env.tokenLimits;
    const errors: FieldError[] = [];
    if (wanted < MIN_SECONDS)
      errors.push({
        type: 'FieldValueInvalid',
        field: 'spec.expirationSeconds',
        message: `Invalid value: ${wanted}: may not specify a duration less than 10 minutes`,
      });
    if (wanted > MAX_SECONDS)
      errors.push({
        type: 'FieldValueInvalid',
        field: 'spec.expirationSeconds',
        message: `Invalid value: ${wanted}: may not specify a duration larger than 2^32 seconds`,
      });
    for (const [field, given, own] of [
      ['name', request.metadata.name, name],
      ['namespace', request.metadata.namespace, namespace],
    ] as const) {
      const message = `Invalid value: ${JSON.stringify(given)}: must match the service account ${field} if specified`;
      if (given && given !== own) errors.push({ type: 'FieldValueInvalid', field: `metadata.${field}`, message });
    }
    if (errors.length > 0) throw ApiError.invalid({ group: KIND.group, kind: KIND.kind }, name, errors);
    if (!env.tokens.canIssue) throw ApiError.notFound(served.groupResource, name);
    const seconds = Math.min(wanted, maxTokenSeconds);
    if (seconds < wanted) context.warn(`requested expiration of ${wanted} seconds shortened to ${seconds} seconds`);
    request.metadata = { name, namespace, creationTimestamp: formatTime(env.rest.clock.now()) };
    const audiences = spec.audiences?.length ? spec.audiences : [...env.apiAudiences];
    request.spec = { audiences, expirationSeconds: seconds, boundObjectRef: spec.boundObjectRef ?? null };
    const admission = admissionRequest(context, served, {
      operation: 'CREATE',
      subresource: 'token',
      namespace,
      name,
      dryRun: false,
      object: request,
      kind: KIND,
    });
    await env.rest.admission.admit(admission, () => context.request.signal);
    await env.rest.admission.validate(admission, () => context.request.signal);
    const bound = boundObject(env, namespace, name, spec.boundObjectRef);
    const forApi = audiences.some((audience) => env.apiAudiences.includes(audience));
    const extended = extendTokens && seconds === PROJECTED_SECONDS && bound?.boundTo.kind === 'Pod' && forApi;
    const { token } = env.tokens.issue({
      namespace,
      serviceAccount: { name, uid: account.metadata.uid as string },
      audiences,
      expirationSeconds: extended ? EXTENDED_SECONDS : seconds,
      ...(extended ? { warnAfterSeconds: seconds } : {}),
      ...(bound ? { boundTo: bound.boundTo, ...(bound.node ? { node: bound.node } : {}) } : {}),
    });
    request.status = { token, expirationTimestamp: formatTime(env.rest.clock.now() + seconds * 1000) };
    return respondKind(context, 201, request);
  };
}

function boundObject(
  env: ActionEnv,
  namespace: string,
  account: string,
  ref: ObjectRef | undefined,
): { boundTo: BoundTo; node?: { name: string; uid: string } } | undefined {
  if (!ref) return undefined;
  const kind = ref.kind;
  if ((kind !== 'Pod' && kind !== 'Secret' && kind !== 'Node') || (ref.apiVersion !== undefined && ref.apiVersion !== '' && ref.apiVersion !== 'v1')) {
    throw ApiError.badRequest(`cannot bind token to object of type ${ref.apiVersion ?? ''}, Kind=${kind ?? ''}`);
  }
  const resource = `${kind.toLowerCase()}s`;
  const name = ref.name ?? '';
  const found = env.rest.registry.storage('', resource).cache.get(kind === 'Node' ? '' : namespace, name)?.object;
  if (!found) throw ApiError.notFound({ group: '', resource }, name);
  const uid = found.metadata.uid as string;
  if (ref.uid && ref.uid !== uid)
    throw ApiError.conflict(
      { group: '', resource },
      name,
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  if (kind === 'Pod' && (found.spec?.serviceAccountName ?? '') !== account) {
    throw ApiError.badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`);
  }
  const node = kind === 'Pod' ? nodeOf(env, found) : undefined;
  return { boundTo: { kind, name, uid }, ...(node ? { node } : {}) };
}

function nodeOf(env: ActionEnv, pod: KubeObject): { name: string; uid: string } | undefined {
  const name = pod.spec?.nodeName as string | undefined;
  if (!name) return undefined;
  const uid = env.rest.registry.storage('', 'nodes').cache.get('', name)?.object.metadata.uid;
  return uid ? { name, uid } : undefined;
}

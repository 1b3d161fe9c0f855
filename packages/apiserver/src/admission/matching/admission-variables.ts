import type { AdmissionRequest } from '@coxswain/sdk';
import { formatGroupVersion } from '@coxswain/apimachinery';
import { toCel } from '@coxswain/cel';
import type { Authorization } from '../../auth/authorization.js';
import { AuthorizerValue, requestResource } from './authorizer-library.js';

/** The `request` of an AdmissionReview, without the objects. */
export function requestAttributes(request: AdmissionRequest): Record<string, unknown> {
  const { group, version, resource } = request.resource;
  const gvr = { group, version, resource };
  return {
    uid: request.uid,
    kind: { ...request.kind },
    resource: gvr,
    ...(request.subresource === '' ? {} : { subResource: request.subresource }),
    requestKind: { ...request.kind },
    requestResource: gvr,
    ...(request.subresource === '' ? {} : { requestSubResource: request.subresource }),
    ...(request.name === '' ? {} : { name: request.name }),
    ...(request.namespace === '' ? {} : { namespace: request.namespace }),
    operation: request.operation,
    userInfo: {
      username: request.user.name,
      ...(request.user.uid ? { uid: request.user.uid } : {}),
      groups: request.user.groups,
      ...(request.user.extra ? { extra: request.user.extra } : {}),
    },
    dryRun: request.dryRun,
    options: optionsOf(request),
  };
}

const OPTIONS: Readonly<Record<string, string>> = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' };

function optionsOf({ operation, options, dryRun }: AdmissionRequest): Record<string, unknown> | null {
  const kind = OPTIONS[operation];
  if (!kind) return Object.keys(options).length > 0 ? { ...options } : null;
  return { kind, apiVersion: formatGroupVersion({ group: 'meta.k8s.io', version: 'v1' }), ...options, ...(dryRun ? { dryRun: ['All'] } : {}) };
}

/** Values of the variables; objects are converted once per request and phase. */
export function admissionVariables(request: AdmissionRequest, authorization: Authorization): Record<string, unknown> {
  let attributes: unknown;
  return {
    object: request.object ? toCel(request.object) : null,
    oldObject: request.oldObject ? toCel(request.oldObject) : null,
    get request() {
      return (attributes ??= toCel(requestAttributes(request)));
    },
    authorizer: new AuthorizerValue(authorization, request.user, requestResource(request)),
  };
}

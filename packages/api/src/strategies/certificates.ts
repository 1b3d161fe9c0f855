import type { KubeObject, ResourceStrategy } from '../definition.js';
import type { CertificateSigningRequest } from '../generated/types.js';
import { validateApprovalUpdate, validateCSR, validateCSRStatusUpdate, validateCSRUpdate } from '../validation/certificates.js';
import { nameIsPathSegment } from '../validation/names.js';
import type { StrategyParts } from './lifecycle.js';

/** Who asks is what the server saw, never what the request says. */
export const csrStrategy: StrategyParts = {
  prepareForCreate(object, { user }) {
    const { spec } = object as CertificateSigningRequest;
    if (!spec) return;
    delete spec.uid;
    delete spec.extra;
    spec.username = user?.name ?? '';
    spec.groups = [...(user?.groups ?? [])];
  },
  prepareForUpdate(object, old) {
    object.spec = old.spec;
  },
  validate: (object) => validateCSR(object as CertificateSigningRequest),
  validateUpdate: (object, old) => validateCSRUpdate(object as CertificateSigningRequest, old as CertificateSigningRequest),
  validateName: nameIsPathSegment,
};

type Conditions = NonNullable<NonNullable<CertificateSigningRequest['status']>['conditions']>;

const DECISIONS = ['Approved', 'Denied'];

/** The signer writes the certificate and failures; approving and denying is the approval subresource's. */
export const csrStatusStrategy: ResourceStrategy = {
  prepareForUpdate(object, old, { now }) {
    const status = (object as CertificateSigningRequest).status ?? {};
    const before = (old as CertificateSigningRequest).status ?? {};
    const decided = (before.conditions ?? []).filter(({ type }) => DECISIONS.includes(type));
    const others = (status.conditions ?? []).filter(({ type }) => !DECISIONS.includes(type));
    object.status = { ...status, ...((decided.length || others.length) && { conditions: stamp([...decided, ...others], before.conditions, now) }) };
  },
  validate: (object) => validateCSR(object as CertificateSigningRequest),
  validateUpdate: (object, old) => validateCSRStatusUpdate(object as CertificateSigningRequest, old as CertificateSigningRequest),
  validateName: nameIsPathSegment,
};

/** certificatesigningrequests/approval: only `status.conditions` is written. */
export const mergeApproval = (stored: KubeObject, written: KubeObject): KubeObject => ({
  ...stored,
  metadata: { ...stored.metadata, ...(written.metadata.resourceVersion && { resourceVersion: written.metadata.resourceVersion }) },
  status: { ...stored.status, conditions: written.status?.conditions ?? [] },
});

export const approvalStrategy: ResourceStrategy = {
  prepareForUpdate(object, old, { now }) {
    const request = object as CertificateSigningRequest;
    if (!request.status?.conditions) return;
    request.status.conditions = stamp(request.status.conditions, (old as CertificateSigningRequest).status?.conditions, now);
  },
  validate: (object) => validateCSR(object as CertificateSigningRequest),
  validateUpdate: (object, old) => validateApprovalUpdate(object as CertificateSigningRequest, old as CertificateSigningRequest),
  validateName: nameIsPathSegment,
};

function stamp(conditions: Conditions, before: Conditions | undefined, now: number): Conditions {
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  return conditions.map((condition) => {
    const known = before?.find(({ type, status }) => type === condition.type && status === condition.status);
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? time,
      lastTransitionTime: condition.lastTransitionTime ?? known?.lastTransitionTime ?? time,
    };
  });
}

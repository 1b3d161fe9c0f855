import type { KubeObject, ResourceStrategy } from '../definition.js';
import type { CertificateSigningRequest } from '../generated/types.js';
import { validateApprovalUpdate, validateCSR, validateCSRStatusUpdate, validateCSRUpdate } from '../validation/certificates.js';
import { nameIsPathSegment } from '../validation/names.js';
import type { StatusStrategy, StrategyParts } from './lifecycle.js';

/** Who asks is what the server saw, never what the request says. */
export const csrStrategy: StrategyParts = {
  prepareForCreate(object, { user }) {
    const { spec } = object as CertificateSigningRequest;
    if (!spec) return;
    delete spec.uid;
    delete spec.extra;
    spec.username = user?.name ?? '';
    if (user?.uid) spec.uid = user.uid;
    spec.groups = [...(user?.groups ?? [])];
    if (user?.extra) spec.extra = Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]]));
  },
  prepareForUpdate(object, old) {
    object.spec = old.spec;
  },
  validate: (object, old) => validateCSR(object as CertificateSigningRequest, old as CertificateSigningRequest | undefined),
  validateUpdate: (object, old) => validateCSRUpdate(object as CertificateSigningRequest, old as CertificateSigningRequest),
  validateName: nameIsPathSegment,
};

type Conditions = NonNullable<NonNullable<CertificateSigningRequest['status']>['conditions']>;

const DECISIONS = ['Approved', 'Denied'];

/** As many decisions as there were stay what they were; more or fewer are for the validation to refuse. */
function keepInstances(conditions: Conditions, before: Conditions, type: string): Conditions {
  const stored = before.filter((each) => each.type === type);
  if (conditions.filter((each) => each.type === type).length !== stored.length) return conditions;
  return conditions.map((each) => (each.type === type ? (stored.shift() ?? each) : each));
}

/** The signer writes the certificate and failures; approving and denying is the approval subresource's. */
export const csrStatusStrategy: StatusStrategy = {
  prepareForUpdate(object, old, { now }) {
    const { status } = object as CertificateSigningRequest;
    const before = (old as CertificateSigningRequest).status?.conditions ?? [];
    if (!status?.conditions) return;
    const kept = DECISIONS.reduce((conditions, type) => keepInstances(conditions, before, type), status.conditions);
    status.conditions = stamp(kept, before, now);
  },
  validate: (object, old) => validateCSR(object as CertificateSigningRequest, old as CertificateSigningRequest | undefined),
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
  updateIsWhole: true,
  validateUpdate(object, old) {
    const [request, stored] = [object as CertificateSigningRequest, old as CertificateSigningRequest];
    return [...validateCSR(request, stored), ...validateApprovalUpdate(request, stored)];
  },
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

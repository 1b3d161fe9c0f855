import { parseSigningRequest } from '@coxswain/pki';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import { isFor, refuse } from './admission-env.js';
import type { AdmissionEnv } from './admission-env.js';
import { AdmissionOrder } from './order.js';

const GROUP = 'certificates.k8s.io';
const RESOURCE = 'certificatesigningrequests';

/** Approving or signing needs the permission for the signer, by name or for its whole domain. */
async function checkSigner(env: AdmissionEnv, request: AdmissionRequest, verb: 'approve' | 'sign'): Promise<void> {
  const signer = (request.oldObject?.spec?.signerName ?? '') as string;
  for (const name of [signer, `${signer.slice(0, signer.indexOf('/'))}/*`]) {
    const result = await env.authorization.authorize({
      user: request.user,
      verb,
      target: { type: 'resource', group: GROUP, version: '*', resource: 'signers', name },
    });
    if (result.decision === 'allow') return;
  }
  refuse(request, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signer)}`);
}

export function certificateApproval(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    order: AdmissionOrder.certificateApproval,
    handles: (request) => request.operation === 'UPDATE' && isFor(request, GROUP, RESOURCE, 'approval'),
    validate: (request) => checkSigner(env, request, 'approve'),
  };
}

export function certificateSigning(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    order: AdmissionOrder.certificateSigning,
    handles: (request) => request.operation === 'UPDATE' && isFor(request, GROUP, RESOURCE, 'status'),
    async validate(request) {
      const { object, oldObject } = request;
      const failed = (csr: typeof object) => ((csr?.status?.conditions ?? []) as { type: string }[]).some((condition) => condition.type === 'Failed');
      const same = (object?.status?.certificate ?? '') === (oldObject?.status?.certificate ?? '') && failed(object) === failed(oldObject);
      if (!same) await checkSigner(env, request, 'sign');
    },
  };
}

/** Nobody gets a client certificate of system:masters by a request. */
export function certificateSubjectRestriction(): AdmissionPlugin {
  return {
    name: 'CertificateSubjectRestriction',
    order: AdmissionOrder.certificateSubjectRestriction,
    handles: (request) => request.operation === 'CREATE' && isFor(request, GROUP, RESOURCE),
    async validate(request) {
      if (request.object?.spec?.signerName !== 'kubernetes.io/kube-apiserver-client') return;
      const pem = Buffer.from((request.object.spec.request ?? '') as string, 'base64').toString();
      const parsed = await parseSigningRequest(pem).catch(() => refuse(request, 'unable to parse the certificate request'));
      const organizations = parsed.subject.organizations ?? [];
      if (organizations.includes('system:masters'))
        refuse(request, 'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed');
    },
  };
}

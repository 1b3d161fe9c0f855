import type { CertificateSigningRequest, KubeObject } from '@coxswain/api';
import { formatTime, isNotFound, parseTime } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import { parseSigningRequest, signRequest, type SigningRequest } from '@coxswain/pki';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';

const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';
const REVIEW_AGAIN_MS = 5000;
const API_CLIENT = 'kubernetes.io/kube-apiserver-client';
const KUBELET_SERVING = 'kubernetes.io/kubelet-serving';

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString();
const condition = (csr: CertificateSigningRequest, type: string) => csr.status?.conditions?.find((c) => c.type === type && c.status !== 'False');
const usagesAre = (csr: CertificateSigningRequest, required: readonly string[], optional: readonly string[]): boolean => {
  const usages = csr.spec.usages ?? [];
  return required.every((u) => usages.includes(u)) && usages.every((u) => required.includes(u) || optional.includes(u));
};

/** Why the signer refuses to sign; undefined: it signs. The rules of the built-in signers. Pure. */
export function refusal(csr: CertificateSigningRequest, request: SigningRequest): string | undefined {
  const node =
    request.subject.commonName.startsWith('system:node:') && request.subject.organizations?.length === 1 && request.subject.organizations[0] === 'system:nodes';
  const names = request.dnsNames.length + request.ipAddresses.length + request.uris.length + request.emails.length;
  switch (csr.spec.signerName) {
    case KUBELET_CLIENT:
      if (!node) return 'subject organization is not system:nodes or subject common name does not begin with "system:node:"';
      if (names > 0) return 'DNS, IP, email or URI subjectAltNames are not allowed';
      return usagesAre(csr, ['client auth', 'digital signature'], ['key encipherment'])
        ? undefined
        : 'usages did not match [client auth digital signature key encipherment]';
    case KUBELET_SERVING:
      if (!node) return 'subject organization is not system:nodes or subject common name does not begin with "system:node:"';
      if (request.dnsNames.length + request.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required';
      if (request.uris.length + request.emails.length > 0) return 'email and URI subjectAltNames are not allowed';
      return usagesAre(csr, ['server auth', 'digital signature'], ['key encipherment'])
        ? undefined
        : 'usages did not match [server auth digital signature key encipherment]';
    case API_CLIENT:
      if (request.subject.organizations?.includes('system:masters'))
        return 'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed';
      return (csr.spec.usages ?? []).includes('client auth') ? undefined : 'usages did not include client auth';
    default:
      return undefined;
  }
}

/** Signs what is approved, for the built-in signers. */
export function csrSigningController({ client, informers, clock, config }: ControllerContext): Controller {
  const requests = informers.informer(Resources.certificateSigningRequests);
  return {
    name: 'csrsigning',
    watch: (queue) => requests.addHandler({ add: (r) => queue.add(r.metadata.name ?? ''), update: (_o, r) => queue.add(r.metadata.name ?? '') }),
    async reconcile(name, signal) {
      const csr = requests.lister.get(name);
      const ca = config.clusterSigning;
      if (!csr || !ca || csr.status?.certificate || !condition(csr, 'Approved') || condition(csr, 'Denied') || condition(csr, 'Failed')) return undefined;
      if (![KUBELET_CLIENT, API_CLIENT, KUBELET_SERVING].includes(csr.spec.signerName)) return undefined;
      const now = clock.now();
      const pem = decode(csr.spec.request);
      const fail = (message: string) => {
        const failed = {
          type: 'Failed',
          status: 'True',
          reason: 'SignerValidationFailure',
          message,
          lastUpdateTime: formatTime(now),
          lastTransitionTime: formatTime(now),
        };
        return client.api
          .certificateSigningRequests()
          .updateStatus({ ...csr, status: { ...csr.status, conditions: [...(csr.status?.conditions ?? []), failed] } }, { signal });
      };
      let parsed: SigningRequest;
      try {
        parsed = await parseSigningRequest(pem);
      } catch (error) {
        await fail((error as Error).message);
        return undefined;
      }
      const why = refusal(csr, parsed);
      if (why !== undefined) {
        await fail(why);
        return undefined;
      }
      const seconds = Math.max(600, Math.min(csr.spec.expirationSeconds ?? config.clusterSigningDuration, config.clusterSigningDuration));
      const cert = await signRequest(ca, pem, { usage: csr.spec.signerName === KUBELET_SERVING ? 'server' : 'client', now, validForMs: seconds * 1000 });
      await client.api
        .certificateSigningRequests()
        .updateStatus({ ...csr, status: { ...csr.status, certificate: Buffer.from(cert).toString('base64') } }, { signal });
      return undefined;
    },
  };
}

/** Approves what nodes ask for themselves, when RBAC lets them (`certificatesigningrequests/nodeclient` and `selfnodeclient`). */
export function csrApprovingController({ client, informers, clock }: ControllerContext): Controller {
  const requests = informers.informer(Resources.certificateSigningRequests);
  return {
    name: 'csrapproving',
    watch: (queue) => requests.addHandler({ add: (r) => queue.add(r.metadata.name ?? ''), update: (_o, r) => queue.add(r.metadata.name ?? '') }),
    async reconcile(name, signal) {
      const csr = requests.lister.get(name);
      if (!csr || csr.spec.signerName !== KUBELET_CLIENT || csr.status?.certificate || condition(csr, 'Approved') || condition(csr, 'Denied')) return undefined;
      let parsed: SigningRequest;
      try {
        parsed = await parseSigningRequest(decode(csr.spec.request));
      } catch {
        return undefined;
      }
      if (refusal(csr, parsed) !== undefined) return undefined;
      const own = csr.spec.username === parsed.subject.commonName;
      for (const { subresource, message, applies } of [
        { subresource: 'selfnodeclient', message: 'Auto approving self kubelet client certificate after SubjectAccessReview.', applies: own },
        { subresource: 'nodeclient', message: 'Auto approving kubelet client certificate after SubjectAccessReview.', applies: true },
      ]) {
        if (!applies) continue;
        const review = await client.resource<KubeObject>(Resources.subjectAccessReviews as never).create(
          {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SubjectAccessReview',
            metadata: {},
            spec: {
              user: csr.spec.username,
              uid: csr.spec.uid,
              groups: csr.spec.groups,
              extra: csr.spec.extra,
              resourceAttributes: { group: 'certificates.k8s.io', resource: 'certificatesigningrequests', verb: 'create', subresource, version: '*' },
            },
          },
          { signal },
        );
        if (!review.status?.allowed) continue;
        const time = formatTime(clock.now());
        const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message, lastUpdateTime: time, lastTransitionTime: time };
        await client.api
          .certificateSigningRequests()
          .subresource(name, 'approval')
          .update({ ...csr, status: { ...csr.status, conditions: [...(csr.status?.conditions ?? []), approved] } }, { signal });
        return undefined;
      }
      // Whoever asks may be granted it later.
      return { requeueAfterMs: REVIEW_AGAIN_MS };
    },
  };
}

const HOUR = 3_600_000;

/** When a request has outlived its use: an hour after a decision, a day while pending, when its certificate has run out. Pure. */
export function csrExpiry(csr: CertificateSigningRequest): number {
  const decided = csr.status?.conditions?.find((c) => c.type === 'Approved' || c.type === 'Denied' || c.type === 'Failed');
  const created = parseTime(csr.metadata.creationTimestamp ?? '') ?? 0;
  if (decided) return (parseTime(decided.lastUpdateTime ?? '') ?? created) + HOUR;
  return created + 24 * HOUR;
}

/** Deletes requests that nobody needs any more. */
export function csrCleanerController({ client, informers, clock }: ControllerContext): Controller {
  const requests = informers.informer(Resources.certificateSigningRequests);
  return {
    name: 'csrcleaner',
    concurrency: 1,
    watch: (queue) => requests.addHandler({ add: (r) => queue.add(r.metadata.name ?? ''), update: (_o, r) => queue.add(r.metadata.name ?? '') }),
    async reconcile(name, signal) {
      const csr = requests.lister.get(name);
      if (!csr) return undefined;
      const left = csrExpiry(csr) - clock.now();
      if (left > 0) return { requeueAfterMs: left };
      try {
        await client.api.certificateSigningRequests().delete(name, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return undefined;
    },
  };
}

import type { CertificateSigningRequest } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import { humanDuration } from '../../printing/human-duration.js';
import { approvalStrategy, csrStatusStrategy, csrStrategy, mergeApproval } from '../../strategies/certificates.js';
import { defineGroup, selectable } from '../define.js';

function condition({ status }: CertificateSigningRequest): string {
  const has = (type: string): boolean => (status?.conditions ?? []).some((each) => each.type === type);
  const words = [has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'];
  if (has('Failed')) words.push('Failed');
  if (status?.certificate) words.push('Issued');
  return words.join(',');
}

export const certificates = defineGroup('certificates.k8s.io', 'v1', 'io.k8s.api.certificates.v1', [
  {
    kind: 'CertificateSigningRequest',
    resource: 'certificatesigningrequests',
    shortNames: ['csr'],
    namespaced: false,
    strategy: csrStrategy,
    status: csrStatusStrategy,
    subresources: [{ type: 'part', name: 'approval', verbs: ['get', 'patch', 'update'], strategy: approvalStrategy, merge: mergeApproval }],
    selectableFields: selectable('spec.signerName'),
    columns: [
      nameColumn,
      ageColumn,
      column<CertificateSigningRequest>('SignerName', ({ spec }) => spec.signerName || '<none>'),
      column<CertificateSigningRequest>('Requestor', ({ spec }) => spec.username ?? ''),
      column<CertificateSigningRequest>('RequestedDuration', ({ spec }) =>
        spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
      ),
      column<CertificateSigningRequest>('Condition', condition),
    ],
  },
]);

import type { FieldError } from '@coxswain/api';
import { fieldErrors } from '@coxswain/api';
import type { Condition } from './conditions.js';
import type { Crd } from './json-schema.js';

const ANNOTATION = 'api-approved.kubernetes.io';
const PROTECTED = /(^|\.)(k8s\.io|kubernetes\.io)$/;
const POLICY = 'https://github.com/kubernetes/enhancements/pull/1111';

type Approval = { readonly state: 'missing' | 'invalid'; readonly message: string } | { readonly state: 'approved' | 'bypassed'; readonly message: string };

function approvalOf({ metadata }: Crd): Approval {
  const text = metadata.annotations?.[ANNOTATION] ?? '';
  if (text === '') return { state: 'missing', message: `protected groups must have approval annotation ${JSON.stringify(ANNOTATION)}, see ${POLICY}` };
  if (text.startsWith('unapproved')) return { state: 'bypassed', message: `not approved: ${JSON.stringify(text)}` };
  if (URL.canParse(text) && new URL(text).host !== '') return { state: 'approved', message: `approved in ${text}` };
  return {
    state: 'invalid',
    message: `protected groups must have approval annotation ${JSON.stringify(ANNOTATION)} with either a URL or a reason starting with "unapproved", see ${POLICY}`,
  };
}

/** Groups of the project itself need a link to their review. */
export function validateApproval(crd: Crd, old: Crd | undefined): FieldError[] {
  if (!PROTECTED.test(crd.spec.group ?? '')) return [];
  const approval = approvalOf(crd);
  if (approval.state === 'approved' || approval.state === 'bypassed') return [];
  if (old && approvalOf(old).state === approval.state) return [];
  const field = `metadata.annotations[${ANNOTATION}]`;
  return [
    approval.state === 'missing'
      ? fieldErrors.required(field, approval.message)
      : fieldErrors.invalid(field, crd.metadata.annotations?.[ANNOTATION], approval.message),
  ];
}

export function approvalCondition(crd: Crd): Omit<Condition, 'lastTransitionTime'> | undefined {
  if (!PROTECTED.test(crd.spec.group)) return undefined;
  const { state, message } = approvalOf(crd);
  const type = 'KubernetesAPIApprovalPolicyConformant';
  switch (state) {
    case 'missing':
      return { type, status: 'False', reason: 'MissingAnnotation', message };
    case 'invalid':
      return { type, status: 'False', reason: 'InvalidAnnotation', message };
    case 'bypassed':
      return { type, status: 'False', reason: 'UnapprovedAnnotation', message };
    case 'approved':
      return { type, status: 'True', reason: 'ApprovedAnnotation', message };
  }
}

import type { KubeObject } from '@coxswain/api';
import { ApiError, applyJsonPatch } from '@coxswain/apimachinery';
import type { Status } from '@coxswain/apimachinery';
import type { AdmissionRequest } from '@coxswain/sdk';
import { WebhookError } from '../../webhooks/webhook-client.js';
import { requestAttributes } from '../matching/admission-variables.js';
import type { ConvertedRequest } from '../matching/convert-request.js';

export type ReviewVersion = 'v1' | 'v1beta1';

/** What a webhook answered, checked. */
export interface ReviewAnswer {
  readonly allowed: boolean;
  readonly status?: Partial<Status>;
  readonly patch?: readonly unknown[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

export function reviewRequest(version: ReviewVersion, uid: string, request: AdmissionRequest, converted: ConvertedRequest): object {
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      ...requestAttributes(request),
      uid,
      kind: converted.kind,
      resource: converted.resource,
      object: converted.object ?? null,
      oldObject: converted.oldObject ?? null,
    },
  };
}

/** Hold an answer to the protocol; throws WebhookError for what breaks it. */
export function reviewAnswer(version: ReviewVersion, uid: string, mutating: boolean, answer: unknown): ReviewAnswer {
  const review = answer as { kind?: unknown; apiVersion?: unknown; response?: Record<string, unknown> } | null;
  if (typeof review !== 'object' || review === null || !review.response) throw new WebhookError('invalid admission response: webhook response was absent');
  if (version === 'v1') {
    if (review.kind !== 'AdmissionReview' || review.apiVersion !== 'admission.k8s.io/v1') {
      throw new WebhookError(
        `received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${gvkText(review)}`,
      );
    }
    if (review.response.uid !== uid)
      throw new WebhookError(
        `received invalid webhook response: expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(review.response.uid ?? '')}`,
      );
  }
  const { allowed, status, patch, patchType, auditAnnotations, warnings } = review.response;
  let operations: readonly unknown[] | undefined;
  if (typeof patch === 'string' && patch !== '') {
    if (!mutating) throw new WebhookError('received invalid webhook response: validating webhooks may not change the object');
    if (version === 'v1' && patchType !== 'JSONPatch')
      throw new WebhookError(
        patchType
          ? `received invalid webhook response: invalid response.patchType of ${JSON.stringify(patchType)}`
          : 'received invalid webhook response: webhook returned response.patch but not response.patchType',
      );
    operations = decodePatch(patch);
  } else if (version === 'v1' && patchType)
    throw new WebhookError('received invalid webhook response: webhook returned response.patchType but not response.patch');
  return {
    allowed: allowed === true,
    ...(typeof status === 'object' && status !== null ? { status: status as Partial<Status> } : {}),
    ...(operations ? { patch: operations } : {}),
    auditAnnotations: typeof auditAnnotations === 'object' && auditAnnotations !== null ? (auditAnnotations as Record<string, string>) : {},
    warnings: Array.isArray(warnings) ? warnings.filter((warning): warning is string => typeof warning === 'string') : [],
  };
}

function gvkText({ apiVersion, kind }: { apiVersion?: unknown; kind?: unknown }): string {
  return apiVersion === undefined && kind === undefined ? '/, Kind=' : `${String(apiVersion ?? '')}, Kind=${String(kind ?? '')}`;
}

function decodePatch(patch: string): readonly unknown[] {
  try {
    const operations: unknown = JSON.parse(Buffer.from(patch, 'base64').toString());
    if (!Array.isArray(operations)) throw new Error('a JSON patch is a list of operations');
    return operations;
  } catch (error) {
    throw new WebhookError(`invalid character in patch: ${(error as Error).message}`, { cause: error });
  }
}

/** The object with the patch applied. */
export function patched(object: KubeObject, patch: readonly unknown[]): KubeObject {
  return applyJsonPatch(object as never, patch) as KubeObject;
}

/** The error of a refusal: the webhook's own status, which names the webhook. */
export function denial(webhook: string, status: Partial<Status> | undefined): ApiError {
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const code = (status?.code ?? 0) < 400 ? 400 : (status?.code as number);
  const message = status?.message ? `${denied}: ${status.message}` : status?.reason ? `${denied}: ${status.reason}` : `${denied} without explanation`;
  return new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, ...status, status: 'Failure', message, code });
}

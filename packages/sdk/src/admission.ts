import type { GroupVersionKind, KubeObject } from '@coxswain/api';
import type { UserInfo } from './auth.js';
import { token } from './token.js';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface AdmissionRequest {
  readonly uid: string;
  readonly operation: AdmissionOperation;
  readonly kind: GroupVersionKind;
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The new object: mutating plugins change it in place. Absent for DELETE. */
  readonly object?: KubeObject;
  /** The stored object, for UPDATE and DELETE. Never changed. */
  readonly oldObject?: KubeObject;
  readonly options: Readonly<Record<string, unknown>>;
  warn(message: string): void;
  audit(key: string, value: string): void;
}

/**
 * A link of the admission chain. `admit` may change `request.object`; `validate` may not. Both refuse by throwing an ApiError
 * (403 `forbidden` unless there is a better one). `order` is the position in the chain: built-ins use multiples of 100.
 */
export interface AdmissionPlugin {
  readonly name: string;
  readonly order: number;
  handles(request: AdmissionRequest): boolean;
  admit?(request: AdmissionRequest, signal: AbortSignal): Promise<void> | void;
  validate?(request: AdmissionRequest, signal: AbortSignal): Promise<void> | void;
}

export const AdmissionPlugin = token<AdmissionPlugin>('coxswain.admission.v1');

import type { KubeObject } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { ServedResource } from '../registry/served-resource.js';

/** Somebody else wrote the object in between. */
export function modified({ groupResource }: ServedResource, name: string): ApiError {
  return ApiError.conflict(groupResource, name, 'the object has been modified; please apply your changes to the latest version and try again');
}

/** Throws 409 when a request means another object that had this name. Without `uid` it means any. */
export function checkUid({ groupResource }: ServedResource, { metadata }: KubeObject, uid: string | undefined): void {
  if (uid === undefined || uid === metadata.uid) return;
  const message = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid ?? ''}`;
  throw ApiError.conflict(groupResource, metadata.name ?? '', message);
}

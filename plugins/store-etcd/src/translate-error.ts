import { isRpcError } from '@coxswain/cri';
import { EtcdError } from '@coxswain/etcd-api';
import { CorruptStoreError, InvalidStoreRequestError, NoSpaceError, StoreError, StoreUnavailableError } from '@coxswain/sdk';

// etcd 3.4 lets its own contexts' errors out with the status "unknown".
const timedOutInside = (error: unknown) => isRpcError(error, 'unknown') && /context (deadline exceeded|canceled)/.test(error.message);

/** The member did not do its work; another one might. Whether the request took effect is not known. */
export const isUnavailable = (error: unknown) =>
  timedOutInside(error) || (isRpcError(error, 'unavailable', 'deadlineExceeded', 'canceled', 'internal') && !/larger than max/.test(error.message));

/** The request was not begun: repeating it is harmless whatever it does. */
export const neverBegun = (error: unknown) =>
  EtcdError.reasonOf(error) === 'noLeader' || (isRpcError(error, 'unavailable') && /No connection established|Channel has been shut down/.test(error.message));

/**
 * What a failed call means to a user of the store. Errors about compaction, revisions and leases pass as they are: only the caller
 * knows which one it asked for.
 */
export function translateError(error: unknown, endpoint: string): unknown {
  if (error instanceof StoreError || !isRpcError(error)) return error;
  const said = error.message.replace(/^etcdserver: /, '');
  switch (EtcdError.reasonOf(error)) {
    case 'compacted':
    case 'futureRevision':
    case 'leaseNotFound':
    case 'leaseExists':
      return error;
    case 'noSpace':
      return new NoSpaceError('etcd is out of space: compact, defragment and disarm its NOSPACE alarm, or raise its quota', { cause: error });
    case 'corrupt':
      return new CorruptStoreError(`etcd at ${endpoint} reports a corrupt cluster; replace the member from a snapshot`, { cause: error });
    default:
  }
  if (isRpcError(error, 'deadlineExceeded') || timedOutInside(error)) {
    return new StoreUnavailableError(`etcd at ${endpoint} did not answer in time; the cluster may have no quorum`, { cause: error });
  }
  if (isUnavailable(error)) return new StoreUnavailableError(`etcd at ${endpoint} is unavailable: ${said}`, { cause: error });
  if (isRpcError(error, 'permissionDenied', 'unauthenticated')) return new StoreError('invalid', `etcd at ${endpoint} refuses us: ${said}`, { cause: error });
  return new InvalidStoreRequestError(`etcd: ${said}`);
}

import { type RpcCodeName, RpcError } from '@coxswain/cri';
import { CompactedError, FutureRevisionError, LeaseNotFoundError, StoreError } from '@coxswain/sdk';
import { type EtcdErrorName, etcdErrors } from './etcd-errors.js';

/** The status etcd would answer with, in its words: its clients compare the text. */
export function toEtcdStatus(error: unknown): { readonly code: RpcCodeName; readonly message: string } {
  const known = (name: EtcdErrorName) => ({ code: etcdErrors[name][0], message: etcdErrors[name][1] });
  if (error instanceof RpcError) return { code: error.code, message: error.message };
  if (error instanceof CompactedError) return known('compacted');
  if (error instanceof FutureRevisionError) return known('futureRevision');
  if (error instanceof LeaseNotFoundError) return known('leaseNotFound');
  if (!(error instanceof StoreError)) return { code: 'unknown', message: error instanceof Error ? error.message : String(error) };
  switch (error.code) {
    case 'lease-exists':
      return known('leaseExists');
    case 'no-space':
      return known('noSpace');
    case 'corrupt':
      return known('corrupt');
    case 'unavailable':
      return { code: 'unavailable', message: `etcdserver: ${error.message}` };
    case 'invalid':
      return /twice/.test(error.message) ? known('duplicateKey') : { code: 'invalidArgument', message: `etcdserver: ${error.message}` };
    default:
      return { code: 'unknown', message: error.message };
  }
}

import { type RpcCodeName, RpcError } from '@coxswain/cri';

/** The status and text of the errors clients of etcd tell apart (etcd's api/v3rpc/rpctypes). */
export const etcdErrors = {
  emptyKey: ['invalidArgument', 'etcdserver: key is not provided'],
  keyNotFound: ['invalidArgument', 'etcdserver: key not found'],
  valueProvided: ['invalidArgument', 'etcdserver: value is provided'],
  leaseProvided: ['invalidArgument', 'etcdserver: lease is provided'],
  duplicateKey: ['invalidArgument', 'etcdserver: duplicate key given in txn request'],
  compacted: ['outOfRange', 'etcdserver: mvcc: required revision has been compacted'],
  futureRevision: ['outOfRange', 'etcdserver: mvcc: required revision is a future revision'],
  noSpace: ['resourceExhausted', 'etcdserver: mvcc: database space exceeded'],
  leaseNotFound: ['notFound', 'etcdserver: requested lease not found'],
  leaseExists: ['failedPrecondition', 'etcdserver: lease already exists'],
  corrupt: ['dataLoss', 'etcdserver: corrupt cluster'],
  noLeader: ['unavailable', 'etcdserver: no leader'],
  stopped: ['unavailable', 'etcdserver: server stopped'],
} as const satisfies Record<string, readonly [RpcCodeName, string]>;

export type EtcdErrorName = keyof typeof etcdErrors;

const names = new Map<string, EtcdErrorName>(Object.entries(etcdErrors).map(([name, [, text]]) => [text, name as EtcdErrorName]));

/** One of etcd's own errors. */
export class EtcdError extends RpcError {
  constructor(readonly reason: EtcdErrorName) {
    const [code, text] = etcdErrors[reason];
    super(code, text);
  }

  /** Which of etcd's errors a failed call met; undefined for others. */
  static reasonOf(error: unknown): EtcdErrorName | undefined {
    return error instanceof RpcError ? names.get(error.message) : undefined;
  }
}

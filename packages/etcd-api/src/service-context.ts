import type { StateStore } from '@coxswain/sdk';

/** What the services of one server share. */
export interface ServiceContext {
  readonly store: StateStore;
  /** The address clients use. */
  readonly endpoint: string;
  header(revision: number): { readonly clusterId: bigint; readonly memberId: bigint; readonly revision: bigint; readonly raftTerm: bigint };
  /** The newest revision. */
  revision(): Promise<number>;
}

// One store is one member of a cluster of one; the numbers only have to stay the same.
export const CLUSTER_ID = 0xc0c5_0001n;
export const MEMBER_ID = 0xc0c5_0002n;

export function serviceContext(store: StateStore, endpoint: () => string): ServiceContext {
  return {
    store,
    get endpoint() {
      return endpoint();
    },
    header: (revision) => ({ clusterId: CLUSTER_ID, memberId: MEMBER_ID, revision: BigInt(revision), raftTerm: 1n }),
    revision: async () => store.currentRevision?.() ?? (await store.range({ key: '/' }, { countOnly: true })).revision,
  };
}

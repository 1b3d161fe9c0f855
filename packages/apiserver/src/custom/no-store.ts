import type { StateStore } from '@coxswain/sdk';
import { StoreUnavailableError } from '@coxswain/sdk';

const refuse = (): never => {
  throw new StoreUnavailableError('this server keeps nothing');
};

/** Of servers whose kinds all have handlers: nothing asks it. */
export const noStore: StateStore = {
  range: refuse,
  txn: refuse,
  watch: refuse,
  compact: refuse,
  leaseGrant: refuse,
  leaseKeepAlive: refuse,
  leaseRevoke: refuse,
  leaseStatus: refuse,
  leases: refuse,
  status: refuse,
  snapshot: refuse,
  defragment: refuse,
  close: async () => {},
};

import type { Lease } from '../generated/types.js';
import { validateLease } from '../validation/lease.js';
import type { StrategyParts } from './lifecycle.js';

export const leaseStrategy: StrategyParts = {
  validate: (object) => validateLease(object as Lease),
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
};

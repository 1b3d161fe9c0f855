import { afterEach, beforeEach } from 'vitest';
import { compactionCases } from './state-store/compaction-cases.js';
import { leaseCases } from './state-store/lease-cases.js';
import { persistenceCases } from './state-store/persistence-cases.js';
import { propertyCases } from './state-store/property-cases.js';
import { rangeCases } from './state-store/range-cases.js';
import { revisionCases } from './state-store/revision-cases.js';
import { StoreBench, type StateStoreSuiteOptions } from './state-store/store-bench.js';
import { transactionCases } from './state-store/transaction-cases.js';
import { watchCases } from './state-store/watch-cases.js';

export type { StateStoreSuiteOptions } from './state-store/store-bench.js';

/** Declares the tests every `StateStore` must pass. Call it inside `describe`. */
export function stateStoreSuite(options: StateStoreSuiteOptions): void {
  const bench = new StoreBench(options);
  beforeEach(() => bench.begin());
  afterEach(() => bench.end());
  for (const cases of [revisionCases, rangeCases, transactionCases, watchCases, compactionCases, leaseCases, propertyCases, persistenceCases]) cases(bench);
}

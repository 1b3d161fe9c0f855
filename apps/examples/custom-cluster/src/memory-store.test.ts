import { FakeClock, stateStoreSuite } from '@coxswain/sdk-testing';
import { describe } from 'vitest';
import { MemoryStore } from './memory-store.js';

describe('the memory store', () => {
  let clock: FakeClock;
  stateStoreSuite({
    open: async () => {
      clock = new FakeClock();
      return new MemoryStore(clock);
    },
    advance: (ms) => clock.advance(ms),
    propertyRuns: 5,
  });
});

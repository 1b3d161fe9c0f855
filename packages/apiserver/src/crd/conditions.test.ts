import { expect, it } from 'vitest';
import { withCondition } from './conditions.js';

it('a condition keeps what others wrote beside it, and its time while its status stays', () => {
  const old = { type: 'Established', status: 'True', reason: 'a', observedGeneration: 3, lastTransitionTime: '2026-01-01T00:00:00Z' };
  const same = { type: 'Established', status: 'True', reason: 'b', message: 'm' };
  expect(withCondition([old], same, 0)).toEqual([{ ...old, reason: 'b', message: 'm' }]);
  expect(withCondition([old], { ...same, status: 'False' }, 0)).toMatchObject([
    { status: 'False', observedGeneration: 3, lastTransitionTime: '1970-01-01T00:00:00Z' },
  ]);
});

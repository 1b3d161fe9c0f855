import { expect, test } from 'vitest';
import { runFuzz } from './testing/fuzz/run-fuzz.js';

const MIB = 2 ** 20;

// Slow on purpose: a minute of what clients get wrong. `npm run fuzz` takes longer and throws other dice.
test('a minute of malformed, hostile and half-finished requests: no crash, no hang, no 5xx upstream would not give, memory flat', {
  timeout: 180_000,
}, async () => {
  const report = await runFuzz({ seed: 20_260_601, seconds: 60, concurrency: 8 });
  expect(report.findings).toEqual([]);
  expect(report.cases).toBeGreaterThan(300);
  // Both kinds of answers were seen, so that the cases are neither all refused at the door nor all harmless.
  expect([...report.statuses.keys()]).toEqual(expect.arrayContaining([0, 200, 201, 400, 404, 409, 413, 422]));
  const [settled, last] = report.heap;
  expect(last - settled).toBeLessThan(48 * MIB);
});

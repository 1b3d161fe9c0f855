import { expect, it } from 'vitest';
import { hasOrphans } from './service-cidr-controller.js';

it('a range may go when no address depends on it alone', () => {
  const addresses = ['10.96.0.1', '192.168.7.9', 'fd00::1'];
  expect(hasOrphans(['192.168.7.0/24'], ['10.96.0.0/16'], addresses)).toBe(true);
  expect(hasOrphans(['192.168.7.0/24'], ['192.168.0.0/16'], addresses)).toBe(false);
  expect(hasOrphans(['192.168.8.0/24'], [], addresses)).toBe(false);
  expect(hasOrphans(['fd00::/64'], ['10.0.0.0/8'], addresses)).toBe(true);
});

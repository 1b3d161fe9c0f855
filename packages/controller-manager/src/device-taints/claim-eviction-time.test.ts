import type { DeviceTaint, DeviceToleration, ResourceClaim } from '@coxswain/api';
import { expect, it } from 'vitest';
import { claimEvictionTime } from './claim-eviction-time.js';

const taint = (more: Partial<DeviceTaint> = {}): DeviceTaint => ({ key: 'broken', effect: 'NoExecute', timeAdded: '1970-01-01T00:00:10Z', ...more });
const claim = (...tolerations: DeviceToleration[]) =>
  ({ status: { allocation: { devices: { results: [{ request: 'r', driver: 'd', pool: 'p', device: 'x', tolerations }] } } } }) as ResourceClaim;
const exists = (more: Partial<DeviceToleration> = {}): DeviceToleration => ({ key: 'broken', operator: 'Exists', ...more });

it.each([
  ['no taint', claim(), [], undefined],
  ['a taint of another effect', claim(), [taint({ effect: 'NoSchedule' })], undefined],
  ['a taint that is not tolerated', claim(), [taint()], 0],
  ['one that is tolerated for good', claim(exists()), [taint()], undefined],
  ['one that is tolerated for a while', claim(exists({ tolerationSeconds: 30 })), [taint()], 40_000],
  ['the shortest of several', claim(exists({ tolerationSeconds: 30 }), exists({ key: 'hot', tolerationSeconds: 5 })), [taint(), taint({ key: 'hot' })], 15_000],
  ['a taint without a time, from when it was seen', claim(exists({ tolerationSeconds: 30 })), [{ key: 'broken', effect: 'NoExecute' }], 50_000],
] as const)('%s', (_, of, taints, at) => expect(claimEvictionTime(of, () => taints, 20_000)).toBe(at));

import { expect, it } from 'vitest';
import { memoryVolumeSize } from './memory-volume.js';

const MI = 2 ** 20;
const pod = (...limits: (string | undefined)[]) => ({
  spec: { containers: limits.map((memory, i) => ({ name: `c${i}`, image: 'x', resources: memory ? { limits: { memory } } : {} })) },
});

// Upstream's unit tests of the same rule: the smallest of what the volume, its pod and the node allow.
it.each([
  ['the node, when nobody says anything', pod(undefined), {}, '8Gi', 8192 * MI],
  ['the volume', pod(undefined), { sizeLimit: '100Mi' }, '8Gi', 100 * MI],
  ['the pod, when all its containers are limited', pod('64Mi', '32Mi'), {}, '8Gi', 96 * MI],
  ['not the pod when one is not', pod('64Mi', undefined), {}, '8Gi', 8192 * MI],
  ['the volume within its pod', pod('64Mi'), { sizeLimit: '10Mi' }, '8Gi', 10 * MI],
  ['the pod, when the volume asks for more', pod('64Mi'), { sizeLimit: '100Mi' }, '8Gi', 64 * MI],
  ['the pod as a whole', { spec: { containers: [{ name: 'c', image: 'x' }], resources: { limits: { memory: '48Mi' } } } }, {}, '8Gi', 48 * MI],
  ['nothing, on a node that does not know yet', pod(undefined), {}, undefined, undefined],
])('a volume in memory is as large as %s', (_what, of, source, allocatable, bytes) => expect(memoryVolumeSize(of as never, source, allocatable)).toBe(bytes));

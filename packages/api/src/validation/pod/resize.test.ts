import { expect, it } from 'vitest';
import type { Pod, PodSpec, PodStatus, ResourceRequirements } from '../../generated/types.js';
import { validatePodResize } from './resize.js';

const container = (name: string, resources?: ResourceRequirements) => ({ name, image: 'i', ...(resources ? { resources } : {}) });
const pod = (spec: Partial<PodSpec>, status?: PodStatus): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [container('c')], ...spec },
  ...(status ? { status } : {}),
});
const asks = (requests: Record<string, string>): ResourceRequirements => ({ requests });
const text = (message: string) => message.replace(/^(Forbidden|Invalid value: "\w*"): /, '');
const problems = (now: Partial<PodSpec>, then: Partial<PodSpec>, status?: PodStatus) =>
  validatePodResize(pod(now, status), pod(then, status)).map(({ field, message }) => [field, text(message)]);

it.each([
  ['CPU and memory', asks({ cpu: '2', memory: '2Gi' }), []],
  ['a request goes', asks({ memory: '1Gi' }), [['spec.resources.requests', 'pod-level resource requests cannot be removed']]],
  ['all go', undefined, [['spec.resources', 'pod-level resources cannot be removed']]],
  ['huge pages', asks({ cpu: '1', memory: '1Gi', 'hugepages-2Mi': '2Mi' }), [['spec', 'only cpu and memory resources are mutable at pod-level']]],
])("a pod's own resources: %s", (_what, resources, expected) => {
  const then = { containers: [container('c', asks({ cpu: '100m' }))], resources: asks({ cpu: '1', memory: '1Gi' }) };
  expect(problems({ containers: then.containers, ...(resources ? { resources } : {}) }, then)).toEqual(expected);
});

it('the resources a pod has are resized, none are added to its class', () => {
  const own = { containers: [container('c', asks({ cpu: '100m' }))] };
  expect(problems({ ...own, resources: asks({ cpu: '1' }) }, own)).toEqual([]);
  expect(problems({ resources: asks({ cpu: '1' }) }, {})).toEqual([['spec', 'Pod QOS Class may not change as a result of resizing']]);
});

it('containers change CPU and memory, and nothing else', () => {
  const then = { containers: [container('c', asks({ cpu: '1' }))] };
  expect(problems({ containers: [container('c', asks({ cpu: '2', memory: '1Gi' }))] }, then)).toEqual([]);
  expect(problems({ containers: [container('c', asks({ cpu: '1', 'ephemeral-storage': '1Gi' }))] }, then)).toEqual([
    ['spec', 'only cpu and memory resources are mutable'],
  ]);
  expect(problems({ containers: [container('d', asks({ cpu: '1' }))] }, then)).toEqual([
    ['spec.containers[0].name', 'containers may not be renamed or reordered on resize'],
  ]);
});

it('pods of manifests and of nodes that cannot are not resized', () => {
  const then = { containers: [container('c', asks({ cpu: '1' }))] };
  const now = { containers: [container('c', asks({ cpu: '2' }))] };
  const state = { running: { startedAt: '2026-01-01T00:00:00Z' } };
  const status = (resources?: object): PodStatus =>
    ({ containerStatuses: [{ name: 'c', image: 'i', imageID: '', ready: true, restartCount: 0, state, ...(resources ? { resources } : {}) }] }) as PodStatus;
  expect(problems(now, then, status())).toEqual([['spec', 'Pod running on node without support for resize']]);
  expect(problems(now, then, status({}))).toEqual([]);
  const mirror = pod(then);
  mirror.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' };
  expect(validatePodResize(pod(now), mirror).map(({ message }) => text(message))).toEqual(['static pods cannot be resized']);
});

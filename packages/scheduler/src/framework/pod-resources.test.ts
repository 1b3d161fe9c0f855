import { describe, expect, it } from 'vitest';
import { pod } from '../test-cluster.js';
import { nodeResources, podFacts } from './pod-resources.js';

const container = (requests: Record<string, string>, extra: object = {}) => ({ name: 'c', image: 'app', resources: { requests }, ...extra });

describe('what a pod asks for', () => {
  it('sums up what is neither CPU nor memory by name: containers, sidecars, the peak of init containers, overhead', () => {
    const { requests } = podFacts(
      pod('p', {
        containers: [container({ 'example.com/fpga': '1', 'hugepages-2Mi': '2Mi' }), container({ 'example.com/fpga': '2' })],
        initContainers: [container({ 'example.com/fpga': '1' }, { restartPolicy: 'Always' }), container({ 'example.com/gpu': '4' })],
        overhead: { 'example.com/nic': '1' },
      }),
    );
    expect(Object.fromEntries(requests.scalar)).toEqual({ 'example.com/fpga': 4, 'hugepages-2Mi': 2 * 2 ** 20, 'example.com/gpu': 4, 'example.com/nic': 1 });
  });

  it('is nothing of the kind for others, whoever came before', () => {
    podFacts(pod('one', { requests: { 'example.com/fpga': '1' } }));
    expect(podFacts(pod('two', { requests: { cpu: '1' } })).requests.scalar.size).toBe(0);
    expect(nodeResources({ cpu: '1', pods: '3' }).vector.scalar.size).toBe(0);
    expect(nodeResources({ 'example.com/fpga': '2' }).vector.scalar.get('example.com/fpga')).toBe(2);
  });
});

import type { Node, Pod } from '@coxswain/api';
import type { NodeInfo } from '@coxswain/sdk';
import { expect, it } from 'vitest';
import { withPods } from '../cache/node-entry.js';
import { MapCycleState } from '../framework/cycle-state.js';
import { nodeResourcesBalancedAllocation } from './node-resources-fit.js';

const allocatable = { cpu: '1', memory: '1000', 'example.com/gpu': '10', pods: '10' };
const node = withPods({ node: { metadata: { name: 'n' }, status: { allocatable } } as unknown as Node } as NodeInfo, []);
const pod = (requests: Record<string, string>) => ({ metadata: { name: 'p' }, spec: { containers: [{ name: 'c', resources: { requests } }] } }) as Pod;
const named = (...names: string[]) => ({ resources: names.map((name) => ({ name, weight: 1 })) });
const score = (requests: Record<string, string>, ...names: string[]) =>
  nodeResourcesBalancedAllocation(named(...names)).score?.(new MapCycleState(), pod(requests), node);

it.each([
  // |0.5 - 0.5|, |0.2 - 0.7| / 2: of two, half of what is between them.
  [{ cpu: '500m', memory: '500' }, ['cpu', 'memory'], 100],
  [{ cpu: '200m', memory: '700' }, ['cpu', 'memory'], 75],
  // Of more, the standard deviation: 0.1, 0.5 and 0.9 lie 0.3266 around 0.5.
  [{ cpu: '100m', memory: '500', 'example.com/gpu': '9' }, ['cpu', 'memory', 'example.com/gpu'], 67],
  // What the node has not, and what is alone, is in balance.
  [{ cpu: '900m' }, ['cpu', 'example.com/fpga'], 100],
])('%j by %j: %i', (requests, names, expected) => expect(score(requests, ...names)).toBe(expected));

import { expect, it } from 'vitest';
import type { Pod, PodSpec, ResourceRequirements } from '../generated/types.js';
import { featuresToChange, featuresToPlace } from './declared-features.js';

const pod = (spec: Partial<PodSpec>): Pod => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [], ...spec } });
const one = (resources: ResourceRequirements) => pod({ containers: [{ name: 'c', image: 'i', resources }] });
const guaranteed = (cpu: string) => one({ requests: { cpu, memory: '1Gi' }, limits: { cpu, memory: '1Gi' } });

it('CPU of guaranteed pods changes only where the node says so', () => {
  expect(featuresToChange(guaranteed('2'), guaranteed('1'))).toEqual(['GuaranteedQoSPodCPUResize']);
  expect(featuresToChange(guaranteed('1000m'), guaranteed('1'))).toEqual([]);
  expect(featuresToChange(one({ requests: { cpu: '2' } }), one({ requests: { cpu: '1' } }))).toEqual([]);
});

it("so do a pod's own resources", () => {
  const own = (memory: string) => pod({ resources: { limits: { memory } } });
  expect(featuresToChange(own('2Gi'), own('1Gi'))).toEqual(['InPlacePodLevelResourcesVerticalScaling']);
  expect(featuresToChange(own('1Gi'), own('1Gi'))).toEqual([]);
});

it('pods that want what not every node has are placed by it', () => {
  expect(featuresToPlace(pod({ hostNetwork: true, hostUsers: false }))).toEqual(['UserNamespacesHostNetworkSupport']);
  const restartPolicyRules = [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [1] } }];
  expect(featuresToPlace(pod({ initContainers: [{ name: 'c', image: 'i', restartPolicyRules }] }))).toEqual(['RestartAllContainersOnContainerExits']);
  expect(featuresToPlace(pod({ hostNetwork: true }))).toEqual([]);
});

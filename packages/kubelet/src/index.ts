export { admitPod, type AdmissionInput } from './node/admission.js';
export {
  decide,
  type DecideInput,
  type KillAction,
  type PodActions,
  type ProbeResult,
  type ProbeView,
  type StartAction,
  type WaitAction,
} from './pod/decide.js';
export { containerHash } from './pod/container-hash.js';
export type { EventType, KubeletEvents } from './events.js';
export { Kubelet, type KubeletDeps } from './kubelet.js';
export { Keys as KubeletKeys } from './pod/keys.js';
export type { ObservedContainer, ObservedPod, ObservedSandbox } from './pod/observed.js';
export type { HttpProbeOptions, ProbeAnswer } from './probes/http-probe.js';
export type { PodNetwork } from './probes/pod-network.js';
export { HollowNodes, type HollowNodeSpec, type HollowNodesOptions } from './hollow/hollow-nodes.js';
export { type KubeletConfig, kubeletOptions, type KubeletOptions, type Taint } from './options.js';
export { podStatus, type PodStatusInput, type PodVerdict } from './status/pod-status.js';

export { VTEP_MAC_ANNOTATION } from './facts.js';
export { Kernel, type KernelOptions } from './kernel.js';
export { type Mode, modes, podMtu, VXLAN_OVERHEAD } from './plan.js';
export { PodNetwork, type PodNetworkOptions } from './pod-network.js';
export { sdnVxlan } from './sdn-vxlan.js';

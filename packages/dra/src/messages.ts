/** DRA v1 messages and their schemas, as generated; the service's descriptor under a name of its own. */
export * from './generated/k8s/dra/v1/api_pb.js';
export { DRAPlugin as DraPluginDesc } from './generated/k8s/dra/v1/api_pb.js';

/** What a kubelet takes for a driver of dynamic resources. */
export const DRA_PLUGIN = 'DRAPlugin';
/** The version of the calls, as drivers and kubelets name it to each other. */
export const DRA_V1 = 'v1.DRAPlugin';

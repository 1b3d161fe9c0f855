/** CSI v1 messages, their schemas and enums, as generated; the service descriptors under names of their own. */
export * from './generated/csi/v1/csi_pb.js';
export { Controller as ControllerDesc, Identity as IdentityDesc, Node as NodeDesc } from './generated/csi/v1/csi_pb.js';
export { Registration as RegistrationDesc } from './generated/pluginregistration/v1/api_pb.js';

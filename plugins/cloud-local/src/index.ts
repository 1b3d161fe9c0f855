export * from './cloud-local-plugin.js';
export { LOCAL_CSI_DRIVER } from './csi/identity.js';
export * from './csi/local-csi.js';
export { InstanceRegistry, type LocalInstance } from './instances.js';
export * from './local-cloud.js';
export { AddressPool } from './network/address-pool.js';
export { type AddressCarrier, MachineCarrier } from './network/carrier.js';
export { addressForwarder, type ForwarderOptions } from './network/forwarder.js';
export type { RouteTable } from './routes.js';

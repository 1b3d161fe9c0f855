import { type IdentityService, PluginCapability_Service_Type as Service, PluginCapability_VolumeExpansion_Type as Expansion } from '@coxswain/csi';

/** Its name in StorageClasses, CSIDrivers and PersistentVolumes. */
export const LOCAL_CSI_DRIVER = 'local.csi.coxswain.dev';

export const localIdentity: IdentityService = {
  async getPluginInfo() {
    return { name: LOCAL_CSI_DRIVER, vendorVersion: '0.1.0' };
  },
  async getPluginCapabilities() {
    return {
      capabilities: [
        { type: { case: 'service', value: { type: Service.CONTROLLER_SERVICE } } },
        { type: { case: 'volumeExpansion', value: { type: Expansion.ONLINE } } },
      ],
    };
  },
  async probe() {
    return { ready: true };
  },
};

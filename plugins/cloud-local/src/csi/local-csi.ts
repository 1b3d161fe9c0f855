import { join } from 'node:path';
import { serveCsi, serveRegistration } from '@coxswain/csi';
import { Addon, AddonContext, type CloudProvider, type Component, configObject, defineComponent, definePlugin, field, PluginPoint } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { LocalVolumes } from '../volumes.js';
import { controllerService } from './controller-service.js';
import { LOCAL_CSI_DRIVER, localIdentity } from './identity.js';
import { nodeService } from './node-service.js';

/** The driver's controller service, on the disks of a cloud. `endpoint`: `unix:///…`. */
export function localCsiController(cloud: CloudProvider, endpoint: string): Component {
  return defineComponent('local-csi-controller', async () => {
    const { volumes, instances } = cloud;
    if (!volumes) throw new Error(`cloud ${cloud.name} has no volumes`);
    const exists = async (name: string) =>
      (await instances?.exists({ apiVersion: 'v1', kind: 'Node', metadata: { name } }, new AbortController().signal)) ?? true;
    const server = await serveCsi({ endpoint, identity: localIdentity, controller: controllerService(volumes, exists) });
    return () => server.close();
  });
}

export interface LocalCsiNodeOptions {
  readonly cloudFolder: string;
  /** The kubelet's `--root-dir`. */
  readonly kubeletDir: string;
  readonly nodeName: string;
}

/** The driver's node service on a host, and its registration with the kubelet there. */
export function localCsiNode({ cloudFolder, kubeletDir, nodeName }: LocalCsiNodeOptions): Component {
  return defineComponent('local-csi-node', async () => {
    const endpoint = `unix://${join(kubeletDir, 'plugins', LOCAL_CSI_DRIVER, 'csi.sock')}`;
    const driver = await serveCsi({ endpoint, identity: localIdentity, node: nodeService(new LocalVolumes(cloudFolder), nodeName) });
    try {
      const registration = await serveRegistration({
        endpoint: `unix://${join(kubeletDir, 'plugins_registry', 'local-reg.sock')}`,
        driver: LOCAL_CSI_DRIVER,
        driverEndpoint: endpoint,
      });
      return async () => {
        await registration.close();
        await driver.close();
      };
    } catch (error) {
      await driver.close();
      throw error;
    }
  });
}

/** The same as an add-on of a node. `folder`: the cloud's; `kubeletDir`: the kubelet's root. */
export const cloudLocalDisks = definePlugin({
  point: PluginPoint.addon,
  name: 'cloud-local-disks',
  description: 'Disks of the local cloud on a host, as a CSI driver',
  sdk: '^0.1.0',
  requires: [AddonContext],
  config: configObject({ folder: field.string(), kubeletDir: field.string() }),
  module: ({ folder, kubeletDir }) =>
    new ContainerModule(({ bind }) => {
      bind(Addon)
        .toResolvedValue(
          ({ nodeName }: AddonContext): Addon => Object.assign(localCsiNode({ cloudFolder: folder, kubeletDir, nodeName }), { endpoints: {} }),
          [AddonContext],
        )
        .inSingletonScope();
    }),
});

import type { CSINode } from '@coxswain/api';
import { isConflict, isNotFound } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import { connectCsi, type CsiConnection, NodeServiceCapability_RPC_Type as Capability, type PluginInfo } from '@coxswain/csi';
import type { Logger } from '@coxswain/sdk';

/** A CSI driver that made itself known on this node. */
export interface RegisteredDriver {
  readonly name: string;
  readonly connection: CsiConnection;
  readonly capabilities: ReadonlySet<Capability>;
}

export interface CsiDriversDeps {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly logger: Logger;
  /** The node's uid, which owns its CSINode; undefined while it is not registered. */
  readonly nodeUid: () => string | undefined;
  /** A driver came: volumes that waited for it may go on. */
  readonly changed: () => void;
}

const NODE_ID = 'csi.volume.kubernetes.io/nodeid';

/** The CSI drivers of this node, as they are and as the cluster is told of them: CSINode, the node's annotation and its topology labels. */
export class CsiDrivers {
  readonly #drivers = new Map<string, RegisteredDriver>();

  constructor(private readonly deps: CsiDriversDeps) {}

  /** Throws upstream's words for a driver that is not there. */
  get(name: string): RegisteredDriver {
    const found = this.#drivers.get(name);
    if (!found) throw new Error(`driver name ${name} not found in the list of registered CSI drivers`);
    return found;
  }

  /** Takes a plugin in; rejects, with the reason for the plugin, when it cannot be taken. */
  async register({ name, endpoint, supportedVersions }: PluginInfo, signal: AbortSignal): Promise<void> {
    if (!supportedVersions.some((v) => /^v?1(\.|$)/.test(v)))
      throw new Error(`driver ${name} supports CSI ${supportedVersions.join(', ') || 'in no version'}; this kubelet speaks 1.x`);
    if (!endpoint) throw new Error(`driver ${name} names no endpoint`);
    const connection = connectCsi({ endpoint });
    try {
      const info = await connection.node.nodeGetInfo({}, { signal, timeoutMs: 15_000 });
      if (!info.nodeId) throw new Error(`driver ${name} does not know this node: NodeGetInfo has no node_id`);
      const { capabilities } = await connection.node.nodeGetCapabilities({}, { signal, timeoutMs: 15_000 });
      const topology = info.accessibleTopology?.segments ?? {};
      await this.#publish(name, info.nodeId, Number(info.maxVolumesPerNode), topology, signal);
      this.#drivers.get(name)?.connection.close();
      this.#drivers.set(name, {
        name,
        connection,
        capabilities: new Set(capabilities.map((c) => (c.type.case === 'rpc' ? c.type.value.type : Capability.UNKNOWN))),
      });
    } catch (error) {
      connection.close();
      throw error;
    }
    this.deps.logger.info('CSI driver registered', { driver: name, endpoint });
    this.deps.changed();
  }

  /** The driver left: new volumes of it wait, and the cluster schedules none here. */
  async unregister(name: string, signal: AbortSignal): Promise<void> {
    this.#drivers.get(name)?.connection.close();
    if (!this.#drivers.delete(name)) return;
    this.deps.logger.info('CSI driver unregistered', { driver: name });
    await this.#update((drivers) => drivers.filter((d) => d.name !== name), signal);
  }

  close(): void {
    for (const { connection } of this.#drivers.values()) connection.close();
  }

  async #publish(name: string, nodeID: string, limit: number, topology: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const { client, nodeName } = this.deps;
    const node = await client.api.nodes().get(nodeName, { signal });
    const ids = JSON.parse(node.metadata.annotations?.[NODE_ID] ?? '{}') as Record<string, string>;
    const labels = Object.fromEntries(Object.entries(topology).filter(([key, value]) => node.metadata.labels?.[key] !== value));
    if (ids[name] !== nodeID || Object.keys(labels).length > 0) {
      const annotations = { [NODE_ID]: JSON.stringify({ ...ids, [name]: nodeID }) };
      await client.api.nodes().patch(nodeName, 'merge', { metadata: { annotations, labels } }, { signal });
    }
    const keys = Object.keys(topology).sort();
    const entry = { name, nodeID, ...(keys.length > 0 && { topologyKeys: keys }), ...(limit > 0 && { allocatable: { count: limit } }) };
    await this.#update((drivers) => [...drivers.filter((d) => d.name !== name), entry], signal);
  }

  async #update(change: (drivers: CSINode['spec']['drivers']) => CSINode['spec']['drivers'], signal: AbortSignal): Promise<void> {
    const { client, nodeName, nodeUid } = this.deps;
    const nodes = client.api.csiNodes();
    for (let tries = 0; ; tries++) {
      try {
        const found = await nodes.get(nodeName, { signal }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
          return undefined;
        });
        if (found) {
          const drivers = change(found.spec.drivers ?? []);
          if (JSON.stringify(drivers) !== JSON.stringify(found.spec.drivers ?? []))
            await nodes.update({ ...found, spec: { ...found.spec, drivers } }, { signal });
          return;
        }
        const drivers = change([]);
        if (drivers.length === 0) return;
        const uid = nodeUid();
        const ownerReferences = uid ? [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid }] : [];
        await nodes.create({ apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', metadata: { name: nodeName, ownerReferences }, spec: { drivers } }, { signal });
        return;
      } catch (error) {
        if (!isConflict(error) || tries === 5) throw error;
      }
    }
  }
}

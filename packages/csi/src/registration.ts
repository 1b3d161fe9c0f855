import { rpcClient, type RpcServer, serveRpc, unixConnection } from '@coxswain/cri';
import { type PluginInfo, Registration } from './generated/pluginregistration/v1/api_pb.js';

export type { PluginInfo };

/** What a kubelet takes for a CSI driver. */
export const CSI_PLUGIN = 'CSIPlugin';

/** Ask the plugin behind a socket in plugins_registry who it is, and tell it what came of it. Rejects with an `RpcError`. */
export async function registerPlugin(endpoint: string, register: (info: PluginInfo) => Promise<void>, signal?: AbortSignal): Promise<PluginInfo> {
  const connection = unixConnection(endpoint);
  const client = rpcClient(Registration, connection, { timeoutMs: 10_000, connectTimeoutMs: 5000 });
  const options = signal ? { signal } : {};
  try {
    const info = await client.getInfo({}, options);
    try {
      await register(info);
    } catch (error) {
      await client.notifyRegistrationStatus({ pluginRegistered: false, error: (error as Error).message }, options).catch(() => {});
      throw error;
    }
    await client.notifyRegistrationStatus({ pluginRegistered: true, error: '' }, options);
    return info;
  } finally {
    connection.close();
  }
}

export interface ServeRegistrationOptions {
  /** A socket in the kubelet's plugins_registry. */
  readonly endpoint: string;
  /** What kind of plugin it is. Default: a CSI driver. */
  readonly type?: string;
  /** Default `1.0.0`. */
  readonly supportedVersions?: readonly string[];
  readonly driver: string;
  /** The driver's own socket. */
  readonly driverEndpoint: string;
  /** Told by each kubelet that looked; `error` when it did not take the driver. */
  readonly onStatus?: (status: { readonly registered: boolean; readonly error: string }) => void;
}

/** Make a driver known to a kubelet, for as long as this is open. */
export function serveRegistration(options: ServeRegistrationOptions): Promise<RpcServer> {
  const { endpoint, type = CSI_PLUGIN, supportedVersions = ['1.0.0'], driver, driverEndpoint, onStatus } = options;
  return serveRpc({
    endpoint,
    services: [
      {
        service: Registration,
        handlers: {
          async getInfo() {
            return { type, name: driver, endpoint: driverEndpoint.replace(/^unix:(\/\/)?/, ''), supportedVersions: [...supportedVersions] };
          },
          async notifyRegistrationStatus({ pluginRegistered, error }: { pluginRegistered: boolean; error: string }) {
            onStatus?.({ registered: pluginRegistered, error });
            return {};
          },
        },
      },
    ],
  });
}

import { type RpcServer, serveRpc } from '@coxswain/cri';
import { serveRegistration } from '@coxswain/csi';
import { DRAPlugin } from './generated/k8s/dra/v1/api_pb.js';
import { DRA_PLUGIN, DRA_V1 } from './messages.js';

/** A claim as a kubelet names it. Its allocation is read from the API server. */
export interface ClaimReference {
  readonly namespace: string;
  readonly uid: string;
  readonly name: string;
}

/** A device that is ready for containers. */
export interface PreparedDevice {
  /** Requests of the claim it is for; none: all. */
  readonly requests?: readonly string[];
  readonly pool: string;
  readonly device: string;
  /** `vendor.com/class=name`, of specifications in /etc/cdi or /var/run/cdi. */
  readonly cdiDevices?: readonly string[];
}

/** What a driver does on a node. Both are called again after failures and restarts: doing it twice must be harmless. What throws fails that claim only. */
export interface DraDriver {
  prepare(claim: ClaimReference): Promise<readonly PreparedDevice[]>;
  unprepare(claim: ClaimReference): Promise<void>;
}

export interface ServeDraOptions {
  /** The driver's name, as ResourceSlices have it. */
  readonly name: string;
  readonly driver: DraDriver;
  /** The driver's own socket, `unix:///var/lib/kubelet/plugins/<name>/dra.sock`. A stale one is replaced. */
  readonly endpoint: string;
  /** A socket in the kubelet's plugins_registry folder, `unix:///var/lib/kubelet/plugins_registry/<name>-reg.sock`. */
  readonly registration: string;
  /** Told by each kubelet that looked; `error` when it did not take the driver. */
  readonly onStatus?: (status: { readonly registered: boolean; readonly error: string }) => void;
}

/** Serve a driver and make it known to a kubelet, for as long as this is open. Resolves once both sockets accept calls. */
export async function serveDra({ name, driver, endpoint, registration, onStatus }: ServeDraOptions): Promise<RpcServer> {
  const server = await serveRpc({
    endpoint,
    services: [
      {
        service: DRAPlugin,
        handlers: {
          async nodePrepareResources({ claims }: { claims: readonly ClaimReference[] }) {
            const prepared = await Promise.all(claims.map(async (claim) => [claim.uid, await prepareOne(driver, claim)] as const));
            return { claims: Object.fromEntries(prepared) };
          },
          async nodeUnprepareResources({ claims }: { claims: readonly ClaimReference[] }) {
            const undone = await Promise.all(claims.map(async (claim) => [claim.uid, { error: await failure(driver.unprepare(claim)) }] as const));
            return { claims: Object.fromEntries(undone) };
          },
        },
      },
    ],
  });
  try {
    const known = await serveRegistration({
      endpoint: registration,
      type: DRA_PLUGIN,
      supportedVersions: [DRA_V1],
      driver: name,
      driverEndpoint: endpoint,
      ...(onStatus ? { onStatus } : {}),
    });
    return {
      ...server,
      // First out of sight, then out of reach.
      async close() {
        await known.close();
        await server.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function prepareOne(driver: DraDriver, claim: ClaimReference) {
  try {
    const devices = await driver.prepare(claim);
    return {
      devices: devices.map(({ requests = [], pool, device, cdiDevices = [] }) => ({
        requestNames: [...requests],
        poolName: pool,
        deviceName: device,
        cdiDeviceIds: [...cdiDevices],
      })),
    };
  } catch (error) {
    return { error: (error as Error).message || 'failed' };
  }
}

const failure = (work: Promise<void>): Promise<string> =>
  work.then(
    () => '',
    (error: Error) => error.message || 'failed',
  );

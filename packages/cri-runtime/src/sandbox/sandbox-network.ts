import { type Protocol, Protocol as Protocols, type PodSandboxConfig } from '@coxswain/cri';
import { type CapabilityArgs, Cni, type CniPlugin, diskCache, execInvoker, inProcessInvoker, loadNetworks, type NetworkList } from '@coxswain/cni';
import { runExecutable } from './run-executable.js';

export interface SandboxNetworkOptions {
  /** Network configuration folder, `/etc/cni/net.d`. */
  readonly confDir: string;
  /** Folders with plugin executables, `/opt/cni/bin`. */
  readonly binDirs: readonly string[];
  /** Where results are remembered; survives restarts. */
  readonly cacheDir: string;
  /** Plugins that run in this process instead of as executables. */
  readonly plugins?: readonly CniPlugin[];
}

const IFNAME = 'eth0';

/** Attaches pods to the cluster's network through CNI. */
export class SandboxNetwork {
  readonly #cni: Cni;

  constructor(private readonly options: SandboxNetworkOptions) {
    this.#cni = new Cni(inProcessInvoker(options.plugins ?? [], execInvoker({ path: [...options.binDirs], run: runExecutable })), diskCache(options.cacheDir));
  }

  /** Returns the pod's addresses, the primary first. */
  async attach(sandboxId: string, netns: string, config: PodSandboxConfig, signal?: AbortSignal): Promise<string[]> {
    const result = await this.#cni.add(await this.#network(), this.#attachment(sandboxId, netns, config), signal);
    return (result.ips ?? []).map((ip) => ip.address.split('/')[0] as string);
  }

  async detach(sandboxId: string, netns: string, config: PodSandboxConfig): Promise<void> {
    // Without a configuration nothing can be attached; then there is nothing to undo.
    const network = await this.#network().catch(() => undefined);
    if (network) await this.#cni.del(network, this.#attachment(sandboxId, netns, config));
  }

  /** Why the network is not ready, or undefined when it is. */
  async problem(): Promise<string | undefined> {
    try {
      await this.#cni.status(await this.#network());
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  async #network(): Promise<NetworkList> {
    const { networks, problems } = await loadNetworks(this.options.confDir);
    const [first] = networks;
    if (first) return first.network;
    if (problems[0]) throw problems[0].error;
    throw new Error(`no network config found in ${this.options.confDir}: cni plugin not initialized`);
  }

  #attachment(containerId: string, netns: string, config: PodSandboxConfig) {
    const { metadata } = config;
    return {
      containerId,
      netns,
      ifname: IFNAME,
      args: {
        IgnoreUnknown: '1',
        K8S_POD_NAMESPACE: metadata?.namespace ?? '',
        K8S_POD_NAME: metadata?.name ?? '',
        K8S_POD_INFRA_CONTAINER_ID: containerId,
        K8S_POD_UID: metadata?.uid ?? '',
      },
      capabilityArgs: capabilityArgs(config),
    };
  }
}

function protocolName(protocol: Protocol): string {
  const name = Protocols[protocol] as string | undefined;
  if (name === undefined) throw new Error(`a port mapping has the unknown protocol ${protocol}`);
  return name.toLowerCase();
}

function capabilityArgs(config: PodSandboxConfig): CapabilityArgs {
  const mappings = config.portMappings
    .filter((p) => p.hostPort > 0)
    .map((p) => ({ hostPort: p.hostPort, containerPort: p.containerPort, protocol: protocolName(p.protocol), ...(p.hostIp ? { hostIP: p.hostIp } : {}) }));
  const { dnsConfig } = config;
  return {
    ...(mappings.length > 0 ? { portMappings: mappings } : {}),
    ...(dnsConfig ? { dns: { servers: dnsConfig.servers, searches: dnsConfig.searches, options: dnsConfig.options } } : {}),
    ...(config.linux?.cgroupParent ? { cgroupPath: config.linux.cgroupParent } : {}),
  };
}

/** A DNS setting of a network or a result. */
export interface CniDns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

export interface CniInterface {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
  /** Path of the network namespace it is in; absent or empty: the host's. */
  readonly sandbox?: string;
  readonly socketPath?: string;
  readonly pciID?: string;
}

export interface CniIp {
  /** CIDR. */
  readonly address: string;
  readonly gateway?: string;
  /** Index into `interfaces`. */
  readonly interface?: number;
}

export interface CniRoute {
  readonly dst: string;
  readonly gw?: string;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly priority?: number;
  readonly table?: number;
  readonly scope?: number;
}

/** The success result of ADD in the form of spec 1.1.0, which is what this library works with; other versions are converted at the edges. */
export interface CniResult {
  readonly cniVersion: string;
  readonly interfaces?: readonly CniInterface[];
  readonly ips?: readonly CniIp[];
  readonly routes?: readonly CniRoute[];
  readonly dns?: CniDns;
}

/** The `ipam` section; plugins add their own keys. */
export interface CniIpamConf {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** What a plugin gets on standard input; plugins add their own keys. */
export interface PluginConf {
  readonly cniVersion: string;
  readonly name: string;
  readonly type: string;
  readonly capabilities?: Readonly<Record<string, boolean>>;
  readonly ipam?: CniIpamConf;
  readonly dns?: CniDns;
  /** Capability arguments the plugin declared it takes. */
  readonly runtimeConfig?: CapabilityArgs;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly prevResult?: CniResult;
  readonly 'cni.dev/valid-attachments'?: readonly CniAttachmentRef[];
  readonly [key: string]: unknown;
}

/** A plugin's entry in a network list: as `PluginConf`, with name and version taken from the list. */
export type PluginEntry = Omit<PluginConf, 'cniVersion' | 'name' | 'type'> & { readonly type: string };

/** A network: plugins that run one after the other. */
export interface NetworkList {
  readonly cniVersion: string;
  readonly name: string;
  readonly disableCheck: boolean;
  readonly disableGC: boolean;
  readonly plugins: readonly PluginEntry[];
}

/** What a GC keeps. */
export interface CniAttachmentRef {
  readonly containerID: string;
  readonly ifname: string;
}

export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  /** Lower case; default tcp. */
  readonly protocol?: string;
  readonly hostIP?: string;
}

/** Bits per second and bits, as the `bandwidth` capability says. */
export interface BandwidthArgs {
  readonly ingressRate?: number;
  readonly ingressBurst?: number;
  readonly egressRate?: number;
  readonly egressBurst?: number;
}

export interface IpRangeArgs {
  readonly subnet: string;
  readonly rangeStart?: string;
  readonly rangeEnd?: string;
  readonly gateway?: string;
}

/** Dynamic arguments of a runtime, by capability (CNI conventions). */
export interface CapabilityArgs {
  readonly portMappings?: readonly PortMapping[];
  readonly bandwidth?: BandwidthArgs;
  readonly ipRanges?: readonly (readonly IpRangeArgs[])[];
  readonly dns?: { readonly servers?: readonly string[]; readonly searches?: readonly string[]; readonly options?: readonly string[] };
  readonly ips?: readonly string[];
  readonly mac?: string;
  readonly aliases?: readonly string[];
  readonly cgroupPath?: string;
  readonly [capability: string]: unknown;
}

import { CniError, CniErrorCode, type PluginConf, validateIfname } from '@coxswain/cni';

/** The `bridge` plugin's configuration with its defaults. */
export interface BridgeConf {
  readonly bridge: string;
  readonly isGateway: boolean;
  readonly isDefaultGateway: boolean;
  readonly forceAddress: boolean;
  readonly ipMasq: boolean;
  readonly mtu: number;
  readonly hairpinMode: boolean;
  readonly promiscMode: boolean;
  readonly portIsolation: boolean;
  /** Traffic between containers of the subnet goes by the host's routing; absent: only when bridged packets miss its rules. */
  readonly routed?: boolean;
  /** Destinations reached without masquerading, beside the network's own. */
  readonly masqueradeExclude: readonly string[];
  readonly mac?: string;
}

/** Fields of upstream's plugin that ask for something we do not do: refused rather than ignored. */
const UNSUPPORTED: Readonly<Record<string, unknown>> = { vlan: 0, vlanTrunk: undefined, macspoofchk: false, disableContainerInterface: false };

export function readBridgeConf(config: PluginConf): BridgeConf {
  for (const [name, harmless] of Object.entries(UNSUPPORTED)) {
    if (config[name] !== undefined && config[name] !== harmless) throw new CniError(CniErrorCode.unsupportedField, `bridge: ${name} is not supported`);
  }
  const bool = (name: string, fallback = false): boolean => {
    const value = config[name] ?? fallback;
    if (typeof value !== 'boolean') throw new CniError(CniErrorCode.invalidConfig, `bridge: ${name} must be true or false`);
    return value;
  };
  const bridge = config.bridge ?? config.brName ?? 'cni0';
  if (typeof bridge !== 'string') throw new CniError(CniErrorCode.invalidConfig, 'bridge: the bridge name must be a string');
  try {
    validateIfname(bridge);
  } catch {
    throw new CniError(CniErrorCode.invalidConfig, `bridge: invalid bridge name ${JSON.stringify(bridge)}`);
  }
  const mtu = config.mtu ?? 0;
  if (typeof mtu !== 'number' || !Number.isInteger(mtu) || mtu < 0) throw new CniError(CniErrorCode.invalidConfig, 'bridge: mtu must be a positive integer');
  const exclude = config.ipMasqExclude ?? [];
  if (!Array.isArray(exclude)) throw new CniError(CniErrorCode.invalidConfig, 'bridge: ipMasqExclude must be a list of subnets');
  const hairpinMode = bool('hairpinMode');
  const promiscMode = bool('promiscMode');
  if (hairpinMode && promiscMode) throw new CniError(CniErrorCode.invalidConfig, 'bridge: cannot set hairpin mode and promiscuous mode at the same time');
  const isDefaultGateway = bool('isDefaultGateway');
  const mac = config.runtimeConfig?.mac ?? (config.args?.cni as { mac?: string } | undefined)?.mac;
  return {
    bridge,
    isGateway: bool('isGateway') || isDefaultGateway,
    isDefaultGateway,
    forceAddress: bool('forceAddress'),
    ipMasq: bool('ipMasq'),
    mtu,
    hairpinMode,
    promiscMode,
    portIsolation: bool('portIsolation'),
    masqueradeExclude: exclude as string[],
    ...(config.routed === undefined ? {} : { routed: bool('routed') }),
    ...(mac ? { mac } : {}),
  };
}

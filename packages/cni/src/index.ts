export { formatArgs, parseArgs, validateContainerId, validateIfname, validateNetworkName } from './args.js';
export { type AttachmentKey, type CachedAttachment, type CniCache, diskCache } from './cache.js';
export { type Attachment, Cni, derivePluginConf } from './cni.js';
export { type LoadedNetworks, loadNetworks, parseNetwork } from './conf.js';
export { CniError, CniErrorCode, toCniError } from './error.js';
export { type ExecInvokerOptions, type ExecutableOutput, execInvoker, MAX_PLUGIN_OUTPUT, type RunExecutable } from './exec-invoker.js';
export { inProcessInvoker } from './in-process-invoker.js';
export { formatIp, type IpNumber, parseIp, parseSubnet, type Subnet, subnetContains } from './ipam/address.js';
export { type Allocation, allocate, type IpamStore, type IpOwner, releaseOwner, releaseStale } from './ipam/allocator.js';
export { candidates, type IpRange, type RangeConf, type RangeSet, rangeOf, resolveRange, resolveRangeSet } from './ipam/range.js';
export type { CniCall, CniGcRequest, CniInvoker, CniNetworkRequest, CniPlugin, CniRequest } from './plugin.js';
export { formatResult, parseResult } from './result.js';
export { type CniMainIo, processIo, runCniPlugin } from './skeleton.js';
export type {
  BandwidthArgs,
  CapabilityArgs,
  CniAttachmentRef,
  CniDns,
  CniInterface,
  CniIp,
  CniIpamConf,
  CniResult,
  CniRoute,
  IpRangeArgs,
  NetworkList,
  PluginConf,
  PluginEntry,
  PortMapping,
} from './types.js';
export { atLeast, compareVersions, CURRENT_VERSION, requireSupported, SUPPORTED_VERSIONS } from './version.js';

export { Cgroup, type Sleep } from './cgroup/cgroup.js';
export type { CgroupDetails, DiskIo } from './cgroup/details.js';
export { type CgroupLayout, cgroupLayout, detectCgroups } from './cgroup/detect.js';
export { type CgroupLimits, type CgroupStats, sharesToWeight } from './cgroup/limits.js';
export type { Pressure } from './cgroup/pressure.js';
export { connectInNamespace } from './connect-in-namespace.js';
export { type ConntrackFilter, flushConntrack, forgetFlows } from './conntrack.js';
export { RouteLocalnet } from './route-localnet.js';
export { AlreadyExistsError, errnoName, LinuxError, linuxError, NotFoundError, PermissionError } from './errors.js';
export { fileCalls } from './file-calls.js';
export { beforeRequire } from './native-module.js';
export { bytesToIp, type Cidr, ipToBytes, parseCidr } from './ip.js';
export { type DiskUsage, diskUsage, type MachineFacts, type MemoryUsage, machineFacts, memoryUsage, parseMeminfo, taskCount } from './machine.js';
export {
  bindMount,
  idmapMount,
  type MountFlags,
  mount,
  mountTmpfs,
  type Propagation,
  remountBind,
  setPropagation,
  type TmpfsOptions,
  type UmountOptions,
  umount,
} from './mount.js';
export { type InterfaceCounters, type NetworkInterface, parseNetDev } from './net-dev.js';
export { isMountPoint, type MountInfo, mounts, parseMountInfo, umountAll, umountTarget } from './mountinfo.js';
export {
  type CreateNamespacesOptions,
  createPinnedNamespaces,
  deletePinnedNamespaces,
  isPinnedNamespace,
  listPinnedNamespaces,
  namespaceFlags,
  namespaceId,
  type PinnableNamespace,
  type PinnedNamespaces,
  unpinNamespace,
} from './namespaces.js';
export type { AddressInfo } from './netlink/address-messages.js';
export type { BridgePortAttributes, LinkInfo, VxlanInfo } from './netlink/link-messages.js';
export type { NeighborInfo } from './netlink/neighbor-messages.js';
export type { RouteInfo, RouteScope, RouteSpec } from './netlink/route-messages.js';
export { type AddressSpec, type CommonLinkOptions, type LinkRef, Network, type SetLinkOptions, type VethOptions } from './network.js';
export { detectNodeIP } from './node-ip.js';
export { NftError, type NftFamily, type NftOptions, nftApply, nftDeleteTable, nftListTable, nftTables } from './nft.js';
export {
  bootId,
  clampOomScoreAdj,
  findProcesses,
  hasCapability,
  isAlive,
  type ProcessIdentity,
  type ProcessStat,
  parseLimits,
  parseProcessStat,
  processIdentity,
  processStat,
  type Rlimit,
  readOomScoreAdj,
  rlimits,
  signalProcess,
  untilEnded,
  type WaitingClock,
  writeOomScoreAdj,
} from './process.js';
export {
  inNetns,
  type OutputOptions,
  ownEnvironment,
  type ProgramDescriptor,
  type ProgramEnd,
  type ProgramOptions,
  type ProgramOutput,
  programOutput,
  type ProgramResult,
  runProgram,
  type StartedProgram,
  startProgram,
} from './program.js';
export { connectPacketSocket, type PacketSocket } from './seqpacket.js';
export { inlineThread, type SyscallThread, sharedThread, useThread, workerThread } from './syscall-thread.js';
export { readSysctl, sysctlNamespace, writeSysctl } from './sysctl.js';
export * from './loop.js';

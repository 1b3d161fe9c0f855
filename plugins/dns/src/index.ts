export { ClusterDns } from './cluster-dns.js';
export type { ClusterDnsOptions } from './cluster-dns.js';
export { dnsAddon } from './cluster-dns-plugin.js';
export { DnsModel, SCHEMA_VERSION } from './dns-model.js';
export type { DnsModelOptions, Lookup } from './dns-model.js';
export { nameservers, parseUpstream, systemUpstreams } from './resolv-conf.js';
export type { Upstream } from './resolv-conf.js';

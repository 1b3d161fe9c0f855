import { token } from './token.js';

export type ServiceProtocol = 'TCP' | 'UDP' | 'SCTP';

export interface ServiceEndpoint {
  readonly ip: string;
  readonly port: number;
  /** On this node. */
  readonly local: boolean;
  readonly ready: boolean;
  /** Terminating endpoints that still serve are used when no ready one is left. */
  readonly serving: boolean;
  readonly terminating: boolean;
}

/** One port of one Service with everything a proxy needs; a value, compared by content. */
export interface ServicePortSpec {
  /** `namespace/name:port` */
  readonly key: string;
  readonly protocol: ServiceProtocol;
  readonly port: number;
  readonly clusterIPs: readonly string[];
  readonly externalIPs: readonly string[];
  readonly loadBalancerIPs: readonly string[];
  readonly loadBalancerSourceRanges: readonly string[];
  /** 0: none. */
  readonly nodePort: number;
  readonly internalTrafficPolicy: 'Cluster' | 'Local';
  readonly externalTrafficPolicy: 'Cluster' | 'Local';
  /** Seconds a client sticks to an endpoint; absent: no affinity. */
  readonly sessionAffinitySeconds?: number;
  /** All endpoints known for the port (ready or not); the proxy picks by policy. */
  readonly endpoints: readonly ServiceEndpoint[];
}

/** Whole ports that came or changed, and keys that went. */
export interface ServiceDelta {
  readonly upsert: readonly ServicePortSpec[];
  readonly remove: readonly string[];
}

/**
 * Carries Services on one node.
 *
 * - `start(full)` takes the whole desired state and replaces whatever an earlier run left, without a gap in traffic.
 * - `apply` is atomic and its work is proportional to the delta. Applying the same delta twice changes nothing.
 * - `cleanup` removes every rule, set and table, also those of an earlier run.
 */
export interface ServiceProxy {
  start(full: readonly ServicePortSpec[], signal: AbortSignal): Promise<void>;
  apply(delta: ServiceDelta, signal: AbortSignal): Promise<void>;
  cleanup(): Promise<void>;
}

export const ServiceProxy = token<ServiceProxy>('coxswain.service-proxy.v1');

/** What a node tells its proxy. */
export interface ServiceProxyNode {
  readonly nodeName: string;
  readonly nodeIPs: readonly string[];
  /** Pod CIDRs of the cluster: traffic from elsewhere to a cluster IP is masqueraded. */
  readonly clusterCIDRs: readonly string[];
  /** Addresses that answer on node ports; empty: all of the node's. */
  readonly nodePortAddresses: readonly string[];
}

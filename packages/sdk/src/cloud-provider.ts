import type { Node, Service } from '@coxswain/api';
import { token } from './token.js';

export interface InstanceMetadata {
  readonly providerId: string;
  readonly instanceType: string;
  readonly addresses: readonly { readonly type: 'Hostname' | 'InternalIP' | 'ExternalIP' | 'InternalDNS' | 'ExternalDNS'; readonly address: string }[];
  readonly zone?: string;
  readonly region?: string;
}

export interface Instances {
  exists(node: Node, signal: AbortSignal): Promise<boolean>;
  isShutdown(node: Node, signal: AbortSignal): Promise<boolean>;
  metadata(node: Node, signal: AbortSignal): Promise<InstanceMetadata>;
}

export interface LoadBalancers {
  get(service: Service, signal: AbortSignal): Promise<{ readonly ips: readonly string[] } | undefined>;
  /** Create or bring up to date; idempotent. */
  ensure(service: Service, nodes: readonly Node[], signal: AbortSignal): Promise<{ readonly ips: readonly string[] }>;
  /** Idempotent. */
  ensureDeleted(service: Service, signal: AbortSignal): Promise<void>;
}

export interface Route {
  readonly name: string;
  readonly targetNode: string;
  readonly destinationCIDR: string;
}

export interface Routes {
  list(signal: AbortSignal): Promise<readonly Route[]>;
  create(route: Route, signal: AbortSignal): Promise<void>;
  delete(route: Route, signal: AbortSignal): Promise<void>;
}

export interface CloudVolumes {
  /** Rejects when it is attached elsewhere: a volume attaches to one host at a time. Returns the device path. */
  attach(volumeId: string, node: string, signal: AbortSignal): Promise<string>;
  detach(volumeId: string, node: string, signal: AbortSignal): Promise<void>;
  create(name: string, sizeBytes: number, signal: AbortSignal): Promise<string>;
  delete(volumeId: string, signal: AbortSignal): Promise<void>;
}

/** A cloud as the cloud controller manager sees it. Absent parts are not offered. */
export interface CloudProvider {
  readonly name: string;
  readonly instances?: Instances;
  readonly loadBalancers?: LoadBalancers;
  readonly routes?: Routes;
  readonly volumes?: CloudVolumes;
}

export const CloudProvider = token<CloudProvider>('coxswain.cloud.v1');

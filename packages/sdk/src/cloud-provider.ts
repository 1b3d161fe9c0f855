import type { Node, Service } from '@coxswain/api';
import { token } from './token.js';

export interface InstanceAddress {
  readonly type: 'Hostname' | 'InternalIP' | 'ExternalIP' | 'InternalDNS' | 'ExternalDNS';
  readonly address: string;
}

export interface InstanceMetadata {
  /** `<provider>://<what only this cloud understands>`; becomes `spec.providerID`, which never changes. */
  readonly providerId: string;
  /** Becomes the label node.kubernetes.io/instance-type; empty: no label. */
  readonly instanceType: string;
  readonly addresses: readonly InstanceAddress[];
  /** Become topology.kubernetes.io/zone and /region. */
  readonly zone?: string;
  readonly region?: string;
  /** Further labels; those in the namespaces of Kubernetes are left out. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** The machines behind nodes. A node is found by `spec.providerID`, or by its name while that is not set. */
export interface Instances {
  /** False once the machine is gone for good: its Node object is deleted then. */
  exists(node: Node, signal: AbortSignal): Promise<boolean>;
  /** The machine is there, but off. */
  isShutdown(node: Node, signal: AbortSignal): Promise<boolean>;
  /** Undefined when the cloud does not know the machine (yet): the node stays uninitialised and is asked for again. */
  metadata(node: Node, signal: AbortSignal): Promise<InstanceMetadata | undefined>;
}

/** Where a load balancer answers: an address or a name. Becomes an entry of `status.loadBalancer.ingress`. */
export type LoadBalancerIngress =
  | {
      readonly ip: string;
      /** `VIP`: traffic arrives with this destination, so that kube-proxy may short-cut it; `Proxy`: it does not. */
      readonly ipMode: 'VIP' | 'Proxy';
    }
  | { readonly hostname: string };

export interface LoadBalancerStatus {
  readonly ingress: readonly LoadBalancerIngress[];
}

/**
 * Load balancers of Services, one each, found by the Service's uid. A rejected call is told to the user as an event, with the error's
 * message as it is, and tried again with growing delay; `RetryAfterError` sets the delay.
 */
export interface LoadBalancers {
  get(service: Service, signal: AbortSignal): Promise<LoadBalancerStatus | undefined>;
  /**
   * Create, or bring up to date with the Service and this set of nodes; idempotent. When it rejects, whatever it made is either gone
   * again or found by `get`, so that nothing leaks.
   */
  ensure(service: Service, nodes: readonly Node[], signal: AbortSignal): Promise<LoadBalancerStatus>;
  /** Idempotent; resolves when nothing of it is left. */
  ensureDeleted(service: Service, signal: AbortSignal): Promise<void>;
}

export interface Route {
  /** The cloud's name for it; a hint when it is to be made. */
  readonly name: string;
  readonly targetNode: string;
  readonly destinationCIDR: string;
  /** The node's addresses when it was made; a change of them makes it anew. Absent: the cloud follows the machine. */
  readonly targetAddresses?: readonly string[];
  /** Leads nowhere (the machine is gone): to be deleted. */
  readonly blackhole?: boolean;
}

/** How the pod network of each node is reached from the others. */
export interface Routes {
  list(signal: AbortSignal): Promise<readonly Route[]>;
  /** Idempotent. */
  create(route: Route, signal: AbortSignal): Promise<void>;
  /** Idempotent. */
  delete(route: Route, signal: AbortSignal): Promise<void>;
}

export interface CloudVolume {
  readonly id: string;
  /** As given to `create`. */
  readonly name: string;
  readonly sizeBytes: number;
  /** The instance (by node name) that has it. */
  readonly attachedTo?: string;
}

/**
 * Block storage. A volume is attached to at most one instance at a time.
 * Ids that do not exist: `VolumeNotFoundError`, except where idempotent.
 */
export interface CloudVolumes {
  /** Idempotent by name. A volume of that name and less space: `VolumeConflictError`. No room: `OutOfCapacityError`. */
  create(name: string, sizeBytes: number, signal: AbortSignal): Promise<CloudVolume>;
  /** Idempotent. Attached: `VolumeInUseError`. */
  delete(volumeId: string, signal: AbortSignal): Promise<void>;
  get(volumeId: string, signal: AbortSignal): Promise<CloudVolume | undefined>;
  list(signal: AbortSignal): Promise<readonly CloudVolume[]>;
  /** Idempotent; resolves with what the instance finds the device by. Attached elsewhere: `VolumeInUseError`. */
  attach(volumeId: string, node: string, signal: AbortSignal): Promise<string>;
  /** Idempotent. */
  detach(volumeId: string, node: string, signal: AbortSignal): Promise<void>;
  /** Never shrinks; resolves with the new size in bytes. */
  expand(volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<number>;
}

/** A cloud as the cloud controller manager sees it. Absent parts are not offered: their controllers do not run. */
export interface CloudProvider {
  /** As in `--cloud-provider`, and the scheme of its provider ids. */
  readonly name: string;
  readonly instances?: Instances;
  readonly loadBalancers?: LoadBalancers;
  readonly routes?: Routes;
  readonly volumes?: CloudVolumes;
}

export const CloudProvider = token<CloudProvider>('coxswain.cloud.v1');

/** Another controller does this one's load balancer: nothing is done and nothing reported. */
export class ImplementedElsewhereError extends Error {
  override readonly name = 'ImplementedElsewhereError';
}

/** The cloud says when to ask again. */
export class RetryAfterError extends Error {
  override readonly name = 'RetryAfterError';
  constructor(
    message: string,
    readonly afterMs: number,
  ) {
    super(message);
  }
}

export class VolumeNotFoundError extends Error {
  override readonly name = 'VolumeNotFoundError';
}

export class VolumeInUseError extends Error {
  override readonly name = 'VolumeInUseError';
}

export class VolumeConflictError extends Error {
  override readonly name = 'VolumeConflictError';
}

export class OutOfCapacityError extends Error {
  override readonly name = 'OutOfCapacityError';
}

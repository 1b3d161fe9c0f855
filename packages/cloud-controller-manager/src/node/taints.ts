import type { Node } from '@coxswain/api';

/** A kubelet that leaves its node to a cloud registers it with this. */
export const UNINITIALIZED = 'node.cloudprovider.kubernetes.io/uninitialized';
/** The machine is off. */
export const SHUTDOWN = 'node.cloudprovider.kubernetes.io/shutdown';

export const hasTaint = (node: Node, key: string): boolean => node.spec?.taints?.some((t) => t.key === key) ?? false;

/** The status of the Ready condition; `Unknown` when nobody said. */
export const readyStatus = (node: Node): string => node.status?.conditions?.find((c) => c.type === 'Ready')?.status ?? 'Unknown';

/** A part of the cluster as the diagram shows it. Ids of parts on a node are `kubelet@NODE`. */
export type PartKind =
  | 'clients'
  | 'apiserver'
  | 'store'
  | 'scheduler'
  | 'controller-manager'
  | 'cloud-controller-manager'
  | 'dns'
  | 'kubelet'
  | 'cri'
  | 'pods'
  | 'kube-proxy'
  | 'rules'
  | 'cni';

export interface Part {
  readonly id: string;
  readonly kind: PartKind;
  readonly title: string;
  readonly subtitle: string;
  /** The node it runs on; undefined for parts of the control plane and clients. */
  readonly node?: string;
}

export const partId = (kind: PartKind, node?: string) => (node === undefined ? kind : `${kind}@${node}`);

export interface Call {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** The protocol spoken. */
  readonly label: string;
}

export const callId = (from: string, to: string) => `${from}>${to}`;

export interface Topology {
  readonly nodes: readonly string[];
  readonly hasCloud: boolean;
  readonly storeName: string;
  readonly runtime: ReadonlyMap<string, string>;
}

export function partsOf({ nodes, hasCloud, storeName, runtime }: Topology): Part[] {
  const control: Part[] = [
    { id: 'clients', kind: 'clients', title: 'Clients', subtitle: 'kubectl, Helm, controllers' },
    { id: 'apiserver', kind: 'apiserver', title: 'API server', subtitle: 'the one door to the state' },
    { id: 'store', kind: 'store', title: 'Store', subtitle: storeName },
    { id: 'scheduler', kind: 'scheduler', title: 'Scheduler', subtitle: 'finds a node for each pod' },
    { id: 'controller-manager', kind: 'controller-manager', title: 'Controller manager', subtitle: 'makes what is wanted true' },
    ...(hasCloud
      ? [{ id: 'cloud-controller-manager', kind: 'cloud-controller-manager', title: 'Cloud controllers', subtitle: 'nodes, load balancers' } as const]
      : []),
    { id: 'dns', kind: 'dns', title: 'Cluster DNS', subtitle: 'names of Services and pods' },
  ];
  const worker = (node: string): Part[] => {
    const part = (kind: PartKind, title: string, subtitle: string): Part => ({ id: partId(kind, node), kind, title, subtitle, node });
    return [
      part('kubelet', 'Kubelet', 'runs the pods of its node'),
      part('cri', 'CRI server', runtime.get(node) ?? 'container runtime'),
      part('pods', 'Pods', ''),
      part('kube-proxy', 'kube-proxy', 'Services to endpoints'),
      part('rules', 'Service rules', "the kernel's packet rules"),
      part('cni', 'CNI', "the pods' network"),
    ];
  };
  return [...control, ...nodes.flatMap(worker)];
}

export function callsOf({ nodes, hasCloud }: Topology): Call[] {
  const call = (from: string, to: string, label: string): Call => ({ id: callId(from, to), from, to, label });
  return [
    call('clients', 'apiserver', 'HTTPS'),
    call('apiserver', 'store', 'reads and transactions'),
    call('scheduler', 'apiserver', 'HTTPS'),
    call('controller-manager', 'apiserver', 'HTTPS'),
    ...(hasCloud ? [call('cloud-controller-manager', 'apiserver', 'HTTPS')] : []),
    call('dns', 'apiserver', 'HTTPS'),
    ...nodes.flatMap((node) => [
      call(partId('kubelet', node), 'apiserver', 'HTTPS'),
      call(partId('kube-proxy', node), 'apiserver', 'HTTPS'),
      call(partId('kubelet', node), partId('cri', node), 'CRI over gRPC'),
      call(partId('cri', node), partId('pods', node), 'OCI runtime'),
      call(partId('cri', node), partId('cni', node), 'CNI ADD, DEL'),
      call(partId('kube-proxy', node), partId('rules', node), 'writes of rules'),
    ]),
    ...nodes.slice(0, 1).map((node) => call(partId('pods', node), 'dns', 'DNS')),
  ];
}

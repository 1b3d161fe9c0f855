/** A cluster as its author writes it: everything but the name has a default. */
export interface ClusterSpec {
  /** A DNS label of at most 20 characters. */
  readonly name: string;
  /** Tells clusters on one machine apart: shifts ports, CIDRs and link names. 0 gives Kubernetes' usual numbers. */
  readonly index?: number;
  /** What survives `down`: the store, certificates, images. */
  readonly stateDir?: string;
  /** What does not: sockets, pid files, namespaces. */
  readonly runDir?: string;
  readonly nodeName?: string;
  /** The address the node is known by; pods and the API server reach the kubelet there. Default: where the default route leaves. */
  readonly nodeIP?: string;
  /** What runs the node's containers, by the name the composing program gives it. Default `containerd`. */
  readonly runtime?: string;
  /** What carries Services on nodes. Default `nftables`. */
  readonly proxyMode?: ProxyMode;
  /** Whether nodes enforce NetworkPolicy. Default true. */
  readonly networkPolicy?: boolean;
  /** Whether the control plane serves metrics.k8s.io. Default true. */
  readonly metricsServer?: boolean;
  /** Where nodes forward container logs by OTLP/HTTP, as `https://collector:4318/v1/logs`. Default: nowhere. */
  readonly otlpEndpoint?: string;
  /** Components that somebody else runs for this cluster, upstream's binaries perhaps. Default: none. */
  readonly without?: readonly ReplaceableComponent[];
  readonly network?: NetworkSpec;
  readonly ports?: Partial<ClusterPorts>;
  /** Hosts made on this machine, each a node of its own. Absent or empty: the machine itself is the one node. */
  readonly hosts?: readonly HostSpec[];
  /** The etcd that all control planes keep their state in. Absent: one control plane has an embedded store, several an etcd member each. */
  readonly etcd?: ExternalEtcd;
  /** Seconds without a word from a kubelet after which its node is not ready. Default 40, as upstream. */
  readonly nodeMonitorGracePeriodSeconds?: number;
  /** Run a cloud controller manager on the cloud a plugin brings (`CloudProvider`). Absent: the cluster has no cloud. */
  readonly cloud?: CloudSpec;
}

export interface CloudSpec {
  /** The CSI driver of the cloud's disks. Default: the local cloud's. */
  readonly csiDriver?: string;
  /** IPv4 addresses for Services of type LoadBalancer: a network or a range. */
  readonly loadBalancerPool?: string;
}

/** An etcd cluster that is somebody else's. */
export interface ExternalEtcd {
  /** URLs of members. */
  readonly endpoints: readonly string[];
  /** PEM files, absolute paths; for `https` endpoints. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** Components that may be left out, for another implementation to take their place. */
export const replaceableComponents = ['scheduler', 'controller-manager', 'kube-proxy'] as const;
export type ReplaceableComponent = (typeof replaceableComponents)[number];

/** As upstream's kube-proxy names them. */
export type ProxyMode = 'iptables' | 'nftables';

export interface NetworkSpec {
  readonly podCIDR?: string;
  readonly serviceCIDR?: string;
  readonly clusterDomain?: string;
  /** Addresses of hosts; the first is the machine's own end of their link. */
  readonly hostCIDR?: string;
  /** How pods reach those of other hosts. Default `auto`. */
  readonly podNetwork?: PodNetworkMode;
}

/** One host: a node with network, host name and folders of its own. */
export interface HostSpec {
  /** A DNS label; the node's name and the host's name. */
  readonly name: string;
  /** Runs an API server, scheduler and controller manager too. Without any, the first host does. */
  readonly controlPlane?: boolean;
  /** What runs its containers. Default: the cluster's. */
  readonly runtime?: string;
}

/** `direct`: by routes, for hosts of one link; `vxlan`: in a tunnel; `auto`: by routes where hosts share a link, else in a tunnel. */
export const podNetworkModes = ['auto', 'vxlan', 'direct'] as const;
export type PodNetworkMode = (typeof podNetworkModes)[number];

export interface ClusterPorts {
  readonly apiServer: number;
  readonly kubelet: number;
  readonly kubeletHealth: number;
  readonly scheduler: number;
  readonly controllerManager: number;
  readonly cloudControllerManager: number;
  readonly proxyHealth: number;
  readonly proxyMetrics: number;
  readonly dns: number;
  readonly dnsHealth: number;
  readonly dashboard: number;
  readonly logging: number;
}

/** A cluster with everything decided and checked. */
export interface ClusterConfig {
  readonly name: string;
  readonly index: number;
  readonly nodeName: string;
  readonly nodeIP: string;
  /** Chosen once: containers of one runtime are nothing to another. */
  readonly runtime: string;
  readonly proxyMode: ProxyMode;
  readonly networkPolicy: boolean;
  readonly metricsServer: boolean;
  /** Absent: container logs stay on their nodes. */
  readonly otlpEndpoint?: string;
  readonly without: readonly ReplaceableComponent[];
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  readonly clusterDomain: string;
  /** The API server's own service address: the first of the service CIDR. */
  readonly apiServiceIP: string;
  /** The cluster DNS service's address: the tenth of the service CIDR. */
  readonly dnsIP: string;
  readonly nodePortRange: { readonly from: number; readonly to: number };
  /** At most 15 characters, as the kernel wants. */
  readonly bridge: string;
  readonly ports: ClusterPorts;
  /** Absent: the cluster has no cloud. */
  readonly cloud?: ClusterCloud;
  /** Of whoever looks: of a host in the view that `hostView` gives of the cluster, else of the cluster as a whole. */
  readonly paths: ClusterPaths;
  readonly nodeMonitorGracePeriodSeconds: number;
  readonly podNetwork: PodNetworkMode;
  /** Where the state is: in an embedded store, in an etcd with a member on each host with a control plane, or in somebody else's. */
  readonly etcd?: { readonly kind: 'stacked' } | ({ readonly kind: 'external' } & ExternalEtcd);
  /** The link that hosts share. */
  readonly hostNetwork: HostNetwork;
  /** In the order they were added; empty: the machine itself is the one node. */
  readonly hosts: readonly HostConfig[];
  /** Set in a host's view: the host that looks. */
  readonly host?: HostConfig;
}

export interface HostNetwork {
  readonly cidr: string;
  /** The machine's own address on it, and the hosts' way out. */
  readonly gateway: string;
  /** The machine's bridge that the hosts are ports of. */
  readonly bridge: string;
}

export interface HostConfig {
  readonly name: string;
  readonly ip: string;
  /** Names its link on the machine; free again once the host is removed. */
  readonly ordinal: number;
  readonly controlPlane: boolean;
  /** Chosen once: containers of one runtime are nothing to another. */
  readonly runtime: string;
}

export interface ClusterCloud {
  readonly csiDriver: string;
  readonly loadBalancerPool: string;
  /** The link that holds load balancers' addresses; at most 15 characters, as the kernel wants. */
  readonly link: string;
}

export interface ClusterPaths {
  readonly state: string;
  readonly run: string;
  readonly config: string;
  readonly pki: string;
  readonly store: string;
  readonly etcd: string;
  readonly kubelet: string;
  readonly podLogs: string;
  readonly containerLogs: string;
  readonly logs: string;
  readonly cniConf: string;
  /** Pods' addresses: they end with the machine, as pods do. */
  readonly ipam: string;
  readonly cri: string;
  readonly criRun: string;
  readonly cloud: string;
  readonly csiControllerSocket: string;
  readonly criSocket: string;
  /** The embedded store, answering etcd v3's API. */
  readonly etcdSocket: string;
  readonly containerdRoot: string;
  readonly containerdState: string;
  readonly containerdSocket: string;
  readonly adminKubeconfig: string;
  readonly nodeKubeconfig: string;
}

/** One of `extenders` of a KubeSchedulerConfiguration, checked. A verb that is undefined is not asked for. */
export interface ExtenderConfig {
  readonly urlPrefix: string;
  readonly filterVerb?: string;
  readonly preemptVerb?: string;
  readonly prioritizeVerb?: string;
  readonly bindVerb?: string;
  /** What its scores are multiplied by. */
  readonly weight: number;
  readonly enableHTTPS: boolean;
  readonly tls: ExtenderTls;
  readonly timeoutMs: number;
  /** It knows the nodes: only their names are sent. */
  readonly nodeCacheCapable: boolean;
  /** Only pods that ask for one of these are its business; empty: all are. */
  readonly managedResources: readonly { readonly name: string; readonly ignoredByScheduler: boolean }[];
  /** Scheduling goes on without it when it fails. */
  readonly ignorable: boolean;
}

/** PEM, or the files that hold it; data wins over a file. */
export interface ExtenderTls {
  readonly insecure: boolean;
  readonly serverName?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly caFile?: string;
  readonly certData?: string;
  readonly keyData?: string;
  readonly caData?: string;
}

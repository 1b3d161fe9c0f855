import type { CniPlugin } from '@coxswain/cni';
import type { RpcInterceptor } from '@coxswain/cri';
import type { RegistryOptions } from '@coxswain/oci';
import type { Clock, Logger, Random } from '@coxswain/sdk';

/** What every CRI server is started with. */
export interface CriServerOptions {
  /** Where to serve CRI, `unix:///run/coxswain/cri.sock`. */
  readonly endpoint: string;
  /** Ours; survives reboots. */
  readonly root: string;
  /** Ours; does not: under /run. */
  readonly state: string;
  readonly cni: { readonly confDir: string; readonly binDirs: readonly string[]; readonly cacheDir?: string; readonly plugins?: readonly CniPlugin[] };
  /** Address of the streaming server; default 127.0.0.1. */
  readonly streamingAddress?: string;
  readonly interceptors?: readonly RpcInterceptor[];
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** Further options of a server that runs OCI runtimes and asks registries itself. */
export interface OciServerOptions {
  /** OCI runtime by RuntimeClass handler, a name or a path; the first is the default. Absent: `crun` and `runc`, whichever are installed. */
  readonly runtimes?: Readonly<Record<string, string>>;
  readonly registry?: Pick<RegistryOptions, 'mirrors' | 'insecureHosts' | 'attempts' | 'fetch'>;
}

import type { CniAttachmentRef, CniResult, PluginConf } from './types.js';

/** What ADD, CHECK and DEL are about: one interface of one container. */
export interface CniRequest {
  readonly containerId: string;
  /** Path of the network namespace. May be empty on DEL, when the container is long gone. */
  readonly netns: string;
  readonly ifname: string;
  /** CNI_ARGS, parsed. */
  readonly args: Readonly<Record<string, string>>;
  /** Validated; `prevResult` is in the form of 1.1.0. */
  readonly config: PluginConf;
  /** Runs other plugins by type: the `ipam` one, or one this plugin wraps. */
  readonly delegate: CniInvoker;
  readonly signal?: AbortSignal;
}

/** GC and STATUS are about a network. */
export interface CniNetworkRequest {
  readonly config: PluginConf;
  readonly delegate: CniInvoker;
  readonly signal?: AbortSignal;
}

export interface CniGcRequest extends CniNetworkRequest {
  /** Everything else this plugin holds for the network is stale. */
  readonly validAttachments: readonly CniAttachmentRef[];
}

/**
 * A CNI plugin (spec 1.1.0), the same whether it is called in process or as an executable.
 *
 * Contract (held by `cniSuite` in @coxswain/sdk-testing):
 * - `add` is all or nothing as far as it can be, and returns the whole result, `prevResult` included.
 * - `del` is idempotent, cleans up after a partial `add`, and works when the namespace is gone.
 * - `check` rejects when what `add` made is missing or damaged.
 * - Failures are `CniError`s with the spec's codes.
 * - Calls for different containers may run at the same time.
 */
export interface CniPlugin {
  /** The `type` in a configuration. */
  readonly type: string;
  readonly supportedVersions: readonly string[];
  add(request: CniRequest): Promise<CniResult>;
  check(request: CniRequest): Promise<void>;
  del(request: CniRequest): Promise<void>;
  gc(request: CniGcRequest): Promise<void>;
  /** Rejects with code 50 or 51 when `add` cannot be served. */
  status(request: CniNetworkRequest): Promise<void>;
}

export type CniCall =
  | {
      readonly command: 'ADD' | 'CHECK' | 'DEL';
      readonly containerId: string;
      readonly netns: string;
      readonly ifname: string;
      readonly args: Readonly<Record<string, string>>;
      readonly config: PluginConf;
    }
  | { readonly command: 'GC' | 'STATUS'; readonly config: PluginConf };

/** Calls a plugin by `config.type`, wherever it is: in this process, or an executable. */
export interface CniInvoker {
  /** Whether the invoker has a plugin of this type. */
  has(type: string): Promise<boolean>;
  /** The result of ADD; undefined for the others. Rejects with a `CniError`. */
  invoke(call: CniCall, signal?: AbortSignal): Promise<CniResult | undefined>;
  supportedVersions(type: string, signal?: AbortSignal): Promise<readonly string[]>;
}

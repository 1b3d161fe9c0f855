import { validateContainerId, validateIfname } from './args.js';
import type { CachedAttachment, CniCache } from './cache.js';
import { CniError, CniErrorCode } from './error.js';
import type { CniInvoker } from './plugin.js';
import type { CapabilityArgs, CniAttachmentRef, CniResult, NetworkList, PluginConf, PluginEntry } from './types.js';
import { atLeast, CURRENT_VERSION } from './version.js';

/** One container's place on one network. */
export interface Attachment {
  readonly containerId: string;
  readonly netns: string;
  readonly ifname: string;
  readonly args?: Readonly<Record<string, string>>;
  /** Given to the plugins that declare the capability. */
  readonly capabilityArgs?: CapabilityArgs;
}

/** The configuration one plugin of a list gets (spec section 3, "Deriving runtime configuration"). Pure. */
export function derivePluginConf(network: NetworkList, entry: PluginEntry, capabilityArgs: CapabilityArgs, prevResult?: CniResult): PluginConf {
  const runtimeConfig = Object.fromEntries(
    Object.entries(capabilityArgs).filter(
      ([name, value]) => (entry.capabilities as Record<string, boolean> | undefined)?.[name] === true && value !== undefined,
    ),
  );
  const { capabilities: _declared, runtimeConfig: _old, prevResult: _given, ...rest } = entry;
  return {
    ...rest,
    type: entry.type,
    cniVersion: network.cniVersion,
    name: network.name,
    ...(Object.keys(runtimeConfig).length > 0 ? { runtimeConfig } : {}),
    ...(prevResult ? { prevResult } : {}),
  };
}

/** Runs network lists: what a container runtime needs of CNI. */
export class Cni {
  constructor(
    private readonly invoker: CniInvoker,
    private readonly cache: CniCache,
  ) {}

  /**
   * Attaches: every plugin in order, each with the result before it. When one fails, what was done is undone and its
   * error thrown (the spec asks the runtime for that DEL).
   */
  async add(network: NetworkList, attachment: Attachment, signal?: AbortSignal): Promise<CniResult> {
    const { containerId, netns, ifname, args = {}, capabilityArgs = {} } = attachment;
    validateContainerId(containerId);
    validateIfname(ifname);
    let result: CniResult | undefined;
    try {
      for (const entry of network.plugins) {
        const config = derivePluginConf(network, entry, capabilityArgs, result);
        result = await this.invoker.invoke({ command: 'ADD', containerId, netns, ifname, args, config }, signal);
        if (!result) throw new CniError(CniErrorCode.decodingFailure, `CNI plugin ${entry.type} answered ADD without a result`);
      }
      if (!result) throw new CniError(CniErrorCode.invalidConfig, `network ${network.name} has no plugins`);
      await this.cache.put({ networkName: network.name, containerId, ifname, netns, args, capabilityArgs, network, result });
      return result;
    } catch (error) {
      try {
        await this.runDel(network, attachment, result, undefined);
      } catch (undo) {
        throw new CniError((error as CniError).code ?? CniErrorCode.internal, (error as Error).message, `undoing it failed too: ${(undo as Error).message}`, {
          cause: error,
        });
      }
      throw error;
    }
  }

  /** Resolves when the attachment is as ADD left it. A no-op for lists that switch it off. */
  async check(network: NetworkList, attachment: Attachment, signal?: AbortSignal): Promise<void> {
    if (network.disableCheck) return;
    if (!atLeast(network.cniVersion, '0.4.0'))
      throw new CniError(CniErrorCode.incompatibleVersion, `configuration version ${network.cniVersion} does not support CHECK`);
    const cached = await this.cache.get({ networkName: network.name, ...attachment });
    const { containerId, netns, ifname } = attachment;
    for (const entry of network.plugins) {
      const config = derivePluginConf(network, entry, attachment.capabilityArgs ?? cached?.capabilityArgs ?? {}, cached?.result);
      await this.invoker.invoke({ command: 'CHECK', containerId, netns, ifname, args: attachment.args ?? cached?.args ?? {}, config }, signal);
    }
  }

  /** Detaches, in reverse, with the cached result. Idempotent; `netns` may be empty when the namespace is gone. */
  async del(network: NetworkList, attachment: Attachment, signal?: AbortSignal): Promise<void> {
    const key = { networkName: network.name, containerId: attachment.containerId, ifname: attachment.ifname };
    const cached = await this.cache.get(key);
    // Undo with the list it was made with, also when the administrator has changed the file since.
    await this.runDel(
      cached?.network ?? network,
      { ...attachment, args: attachment.args ?? cached?.args ?? {}, capabilityArgs: attachment.capabilityArgs ?? cached?.capabilityArgs ?? {} },
      cached?.result,
      signal,
    );
    await this.cache.delete(key);
  }

  private async runDel(network: NetworkList, attachment: Attachment, result: CniResult | undefined, signal: AbortSignal | undefined): Promise<void> {
    const { containerId, netns, ifname, args = {}, capabilityArgs = {} } = attachment;
    const previous = atLeast(network.cniVersion, '0.4.0') ? result : undefined;
    const errors: unknown[] = [];
    for (const entry of network.plugins.toReversed()) {
      const config = derivePluginConf(network, entry, capabilityArgs, previous);
      // One plugin's trouble must not keep the others from giving back what they hold.
      await this.invoker.invoke({ command: 'DEL', containerId, netns, ifname, args, config }, signal).catch((error) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Everything not in `valid` is stale: cached attachments are deleted, then plugins are told (spec 1.1.0). Rejects with all errors joined. */
  async gc(network: NetworkList, valid: readonly CniAttachmentRef[], signal?: AbortSignal): Promise<void> {
    if (network.disableGC) return;
    const keep = new Set(valid.map((a) => `${a.containerID}/${a.ifname}`));
    const errors: unknown[] = [];
    for (const stale of (await this.cache.list(network.name)).filter((a) => !keep.has(`${a.containerId}/${a.ifname}`))) {
      await this.del(network, { containerId: stale.containerId, ifname: stale.ifname, netns: stale.netns }, signal).catch((error) => errors.push(error));
    }
    if (atLeast(network.cniVersion, CURRENT_VERSION)) {
      for (const entry of network.plugins) {
        const config: PluginConf = { ...derivePluginConf(network, entry, {}), 'cni.dev/valid-attachments': valid, 'cni.dev/attachments': valid };
        await this.invoker.invoke({ command: 'GC', config }, signal).catch((error) => errors.push(error));
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, `CNI garbage collection of ${network.name}: ${errors.map((e) => (e as Error).message).join('; ')}`);
  }

  /** Rejects when the network cannot take attachments now: a plugin is missing, too old, or says so (spec 1.1.0). */
  async status(network: NetworkList, signal?: AbortSignal): Promise<void> {
    for (const entry of network.plugins) {
      if (!(await this.invoker.has(entry.type)))
        throw new CniError(CniErrorCode.notAvailable, `no CNI plugin of type ${JSON.stringify(entry.type)} is installed`);
      if (atLeast(network.cniVersion, CURRENT_VERSION)) {
        await this.invoker.invoke({ command: 'STATUS', config: derivePluginConf(network, entry, {}) }, signal);
      } else {
        const supported = await this.invoker.supportedVersions(entry.type, signal);
        if (!supported.includes(network.cniVersion)) {
          throw new CniError(CniErrorCode.incompatibleVersion, `CNI plugin ${entry.type} does not support configuration version ${network.cniVersion}`);
        }
      }
    }
  }

  cached(network: string, attachment: Pick<Attachment, 'containerId' | 'ifname'>): Promise<CachedAttachment | undefined> {
    return this.cache.get({ networkName: network, containerId: attachment.containerId, ifname: attachment.ifname });
  }
}

import { CniError, CniErrorCode, toCniError } from './error.js';
import type { CniCall, CniInvoker, CniPlugin } from './plugin.js';
import type { CniResult } from './types.js';
import { requireSupported } from './version.js';

/** Plugins of this process, by type. `fallback` (say, an `execInvoker`) is asked for all others, so a list may mix both. */
export function inProcessInvoker(plugins: Iterable<CniPlugin>, fallback?: CniInvoker): CniInvoker {
  const byType = new Map(Array.from(plugins, (plugin) => [plugin.type, plugin] as const));
  const invoker: CniInvoker = {
    has: async (type) => byType.has(type) || ((await fallback?.has(type)) ?? false),
    async supportedVersions(type, signal) {
      const plugin = byType.get(type);
      if (plugin) return plugin.supportedVersions;
      if (fallback) return fallback.supportedVersions(type, signal);
      throw notFound(type);
    },
    async invoke(call: CniCall, signal) {
      const plugin = byType.get(call.config.type);
      if (!plugin) {
        if (fallback) return fallback.invoke(call, signal);
        throw notFound(call.config.type);
      }
      try {
        requireSupported(call.config.cniVersion, plugin.supportedVersions);
        return await dispatch(plugin, call, invoker, signal);
      } catch (error) {
        throw toCniError(error);
      }
    },
  };
  return invoker;
}

function notFound(type: string): CniError {
  return new CniError(CniErrorCode.invalidConfig, `no CNI plugin of type ${JSON.stringify(type)} is installed`);
}

/** One call of one plugin. */
export async function dispatch(plugin: CniPlugin, call: CniCall, delegate: CniInvoker, signal?: AbortSignal): Promise<CniResult | undefined> {
  const base = { config: call.config, delegate, ...(signal ? { signal } : {}) };
  switch (call.command) {
    case 'GC':
      await plugin.gc({ ...base, validAttachments: call.config['cni.dev/valid-attachments'] ?? [] });
      return undefined;
    case 'STATUS':
      await plugin.status(base);
      return undefined;
    case 'ADD':
    case 'CHECK':
    case 'DEL': {
      const request = { ...base, containerId: call.containerId, netns: call.netns, ifname: call.ifname, args: call.args };
      if (call.command === 'ADD') return plugin.add(request);
      await (call.command === 'CHECK' ? plugin.check(request) : plugin.del(request));
      return undefined;
    }
  }
}

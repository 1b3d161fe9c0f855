import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { validateNetworkName } from './args.js';
import { CniError, CniErrorCode } from './error.js';
import type { NetworkList, PluginEntry } from './types.js';
import { compareVersions, IMPLIED_VERSION, requireSupported, SUPPORTED_VERSIONS } from './version.js';

type Json = Record<string, unknown>;

function invalid(source: string, message: string): CniError {
  return new CniError(CniErrorCode.invalidConfig, `${source}: ${message}`);
}

function flag(value: unknown, name: string, source: string): boolean {
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  // Upstream also takes the words.
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalid(source, `${name} must be true or false`);
}

function entry(value: unknown, source: string): PluginEntry {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(source, 'a plugin is not an object');
  const { type } = value as Json;
  if (typeof type !== 'string' || type === '') throw invalid(source, 'a plugin has no "type"');
  return value as PluginEntry;
}

/** Validates a network list (.conflist) or a single plugin's configuration (.conf), which becomes a list of one. Pure. */
export function parseNetwork(text: string, source = 'network configuration'): NetworkList {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CniError(CniErrorCode.decodingFailure, `${source}: ${(error as Error).message}`, undefined, { cause: error });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid(source, 'not a JSON object');
  const conf = json as Json;
  try {
    validateNetworkName(conf.name);
  } catch (error) {
    throw invalid(source, (error as Error).message);
  }
  // `cniVersions` lists what the administrator can live with; the newest we speak wins.
  const offered = Array.isArray(conf.cniVersions) ? conf.cniVersions.filter((v): v is string => typeof v === 'string') : [];
  if (typeof conf.cniVersion === 'string') offered.push(conf.cniVersion);
  const known = offered.filter((v) => (SUPPORTED_VERSIONS as readonly string[]).includes(v)).sort(compareVersions);
  const cniVersion = known.at(-1) ?? offered.at(-1) ?? IMPLIED_VERSION;
  requireSupported(cniVersion);

  if (!('plugins' in conf)) {
    const { cniVersion: _v, cniVersions: _vs, name: _n, ...rest } = conf;
    return { cniVersion, name: conf.name, disableCheck: false, disableGC: false, plugins: [entry(rest, source)] };
  }
  if (!Array.isArray(conf.plugins) || conf.plugins.length === 0) throw invalid(source, '"plugins" must be a list with at least one plugin');
  return {
    cniVersion,
    name: conf.name,
    disableCheck: flag(conf.disableCheck, 'disableCheck', source),
    disableGC: flag(conf.disableGC, 'disableGC', source),
    plugins: conf.plugins.map((plugin) => entry(plugin, source)),
  };
}

export interface LoadedNetworks {
  /** In the order of their file names: the first is the default network. */
  readonly networks: readonly { readonly file: string; readonly network: NetworkList }[];
  /** Files that are not valid; they do not keep the others from being used. */
  readonly problems: readonly { readonly file: string; readonly error: CniError }[];
}

const EXTENSIONS = new Set(['.conf', '.conflist', '.json']);

/** All networks of a configuration folder (`/etc/cni/net.d`). A missing folder has none. */
export async function loadNetworks(dir: string): Promise<LoadedNetworks> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] as string[];
    throw error;
  });
  const networks: { file: string; network: NetworkList }[] = [];
  const problems: { file: string; error: CniError }[] = [];
  for (const name of names.filter((n) => EXTENSIONS.has(extname(n))).sort()) {
    const file = join(dir, name);
    try {
      networks.push({ file, network: parseNetwork(await readFile(file, 'utf8'), file) });
    } catch (error) {
      problems.push({ file, error: error instanceof CniError ? error : new CniError(CniErrorCode.ioFailure, `${file}: ${(error as Error).message}`) });
    }
  }
  return { networks, problems };
}

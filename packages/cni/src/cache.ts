import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatArgs, parseArgs } from './args.js';
import { formatResult, parseResult } from './result.js';
import type { CapabilityArgs, CniResult, NetworkList } from './types.js';

/** What is remembered of an attachment, so that CHECK, DEL and GC get the result of its ADD. */
export interface CachedAttachment {
  readonly networkName: string;
  readonly containerId: string;
  readonly ifname: string;
  readonly netns: string;
  readonly args: Readonly<Record<string, string>>;
  readonly capabilityArgs: CapabilityArgs;
  readonly network: NetworkList;
  readonly result: CniResult;
}

export type AttachmentKey = Pick<CachedAttachment, 'networkName' | 'containerId' | 'ifname'>;

export interface CniCache {
  put(attachment: CachedAttachment): Promise<void>;
  /** Undefined when unknown or unreadable: a damaged cache must not keep a container from being deleted. */
  get(key: AttachmentKey): Promise<CachedAttachment | undefined>;
  delete(key: AttachmentKey): Promise<void>;
  list(networkName: string): Promise<CachedAttachment[]>;
}

interface FileForm {
  kind: 'cniCacheV1';
  containerId: string;
  ifName: string;
  networkName: string;
  netns?: string;
  cniArgs?: string[][];
  capabilityArgs?: CapabilityArgs;
  config: string;
  result: unknown;
}

/** A folder with one file an attachment, in libcni's format and by its names (`<network>-<container>-<interface>`). */
export function diskCache(dir: string): CniCache {
  const file = (key: AttachmentKey) => join(dir, `${key.networkName}-${key.containerId}-${key.ifname}`);
  const read = async (path: string): Promise<CachedAttachment | undefined> => {
    try {
      const form = JSON.parse(await readFile(path, 'utf8')) as FileForm;
      if (form.kind !== 'cniCacheV1') return undefined;
      const network = JSON.parse(Buffer.from(form.config, 'base64').toString()) as NetworkList;
      return {
        networkName: form.networkName,
        containerId: form.containerId,
        ifname: form.ifName,
        netns: form.netns ?? '',
        args: parseArgs((form.cniArgs ?? []).map((pair) => pair.join('=')).join(';')),
        capabilityArgs: form.capabilityArgs ?? {},
        network,
        result: parseResult(form.result),
      };
    } catch {
      return undefined;
    }
  };
  return {
    async put(attachment) {
      const form: FileForm = {
        kind: 'cniCacheV1',
        containerId: attachment.containerId,
        ifName: attachment.ifname,
        networkName: attachment.networkName,
        netns: attachment.netns,
        cniArgs: formatArgs(attachment.args)
          .split(';')
          .filter(Boolean)
          .map((pair) => pair.split(/=(.*)/s, 2)),
        capabilityArgs: attachment.capabilityArgs,
        config: Buffer.from(JSON.stringify(attachment.network)).toString('base64'),
        result: formatResult(attachment.result, attachment.network.cniVersion),
      };
      // Small and local: synchronous is several times quicker than four trips through the thread pool.
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      // Whole or not at all: a crash in between leaves the old file or none.
      const temporary = join(dir, `.${attachment.networkName}-${attachment.containerId}-${attachment.ifname}.tmp`);
      writeFileSync(temporary, JSON.stringify(form), { mode: 0o600 });
      renameSync(temporary, file(attachment));
    },
    get: (key) => read(file(key)),
    async delete(key) {
      await rm(file(key), { force: true });
    },
    async list(networkName) {
      const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [] as string[];
        throw error;
      });
      const found = await Promise.all(names.filter((n) => n.startsWith(`${networkName}-`)).map((n) => read(join(dir, n))));
      // A longer network name may share the prefix, so the content decides.
      return found.filter((a) => a?.networkName === networkName) as CachedAttachment[];
    },
  };
}

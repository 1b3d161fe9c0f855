import { LinuxError } from './errors.js';
import { inNetns, ownEnvironment, programOutput } from './program.js';

/** nft refused a script. `stderr` names the line. */
export class NftError extends Error {
  override readonly name = 'NftError';
  constructor(
    readonly stderr: string,
    readonly script?: string,
  ) {
    super(`nft: ${stderr.trim() || 'failed'}`);
  }
  /** A table, chain, set or element that is named is not there. */
  get notFound(): boolean {
    return /No such file or directory/.test(this.stderr);
  }
}

export type NftFamily = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev';

export interface NftOptions {
  /** Path of the network namespace to act in; absent: our own. */
  readonly netns?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

async function run(args: readonly string[], options: NftOptions, script?: string): Promise<string> {
  const { end, stdout, stderr } = await programOutput({
    ...inNetns(options.netns, 'nft', args),
    env: ownEnvironment(),
    timeoutMs: options.timeoutMs ?? 30_000,
    ...(script === undefined ? {} : { input: script }),
    ...(options.signal ? { signal: options.signal } : {}),
  }).catch((error: unknown) => {
    if (options.signal?.aborted) throw error;
    throw new NftError(error instanceof LinuxError && error.code === 'ENOENT' ? 'not installed: apt-get install nftables' : (error as Error).message, script);
  });
  if (end.code !== 0) throw new NftError(stderr || `ended by ${end.signal ?? `code ${end.code}`}`, script);
  return stdout;
}

/** Applies a script as one transaction: all of it or nothing. */
export async function nftApply(script: string, options: NftOptions = {}): Promise<void> {
  await run(['-f', '-'], options, script);
}

export async function nftTables(options: NftOptions = {}): Promise<{ family: NftFamily; name: string }[]> {
  const out = JSON.parse(await run(['-j', 'list', 'tables'], options)) as { nftables: { table?: { family: NftFamily; name: string } }[] };
  return out.nftables.flatMap(({ table }) => (table ? [{ family: table.family, name: table.name }] : []));
}

/** The table's objects in nft's JSON form (libnftables-json(5)); undefined when there is no such table. */
export async function nftListTable(family: NftFamily, name: string, options: NftOptions = {}): Promise<readonly Record<string, unknown>[] | undefined> {
  try {
    const out = JSON.parse(await run(['-j', 'list', 'table', family, name], options)) as { nftables: Record<string, unknown>[] };
    return out.nftables.filter((object) => !('metainfo' in object));
  } catch (error) {
    if (error instanceof NftError && error.notFound) return undefined;
    throw error;
  }
}

/** Idempotent: naming the table first makes the delete succeed whether it was there or not. */
export async function nftDeleteTable(family: NftFamily, name: string, options: NftOptions = {}): Promise<void> {
  await nftApply(`table ${family} ${name}\ndelete table ${family} ${name}\n`, options);
}

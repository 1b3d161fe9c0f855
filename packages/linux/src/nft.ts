import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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

function run(args: readonly string[], options: NftOptions, script?: string): Promise<string> {
  const [file, argv] = options.netns === undefined ? ['nft', args] : ['nsenter', [`--net=${options.netns}`, 'nft', ...args]];
  return new Promise((resolve, reject) => {
    execFile(
      file,
      [...argv],
      { timeout: options.timeoutMs ?? 30_000, maxBuffer: 256 << 20, ...(options.signal ? { signal: options.signal } : {}) },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return reject(new NftError(`${file} is not installed: apt-get install nftables`));
        reject(new NftError(stderr || error.message, script));
      },
    );
  });
}

/** Applies a script as one transaction: all of it or nothing. */
export async function nftApply(script: string, options: NftOptions = {}): Promise<void> {
  // `nft -f -` reads a pipe with lseek and fails on Node's stdin socket, so a file it is.
  const file = join(tmpdir(), `coxswain-nft-${process.pid}-${randomBytes(6).toString('hex')}`);
  await writeFile(file, script, { mode: 0o600 });
  try {
    await run(['-f', file], options, script);
  } finally {
    await rm(file, { force: true });
  }
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

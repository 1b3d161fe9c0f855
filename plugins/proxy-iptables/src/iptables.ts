import { inNetns, LinuxError, ownEnvironment, programOutput } from '@coxswain/linux';

/** Which of the two: `auto` is the system's own choice (`iptables`, by Debian's alternatives or whatever is installed). */
export type IptablesBackend = 'auto' | 'nft' | 'legacy';

const NOT_INSTALLED = 'is not installed: apt-get install iptables';

/** An iptables program refused. `stderr` names the line. */
export class IptablesError extends Error {
  override readonly name = 'IptablesError';
  constructor(
    readonly program: string,
    readonly stderr: string,
    readonly input?: string,
  ) {
    super(`${program}: ${stderr.trim() || 'failed'}`);
  }
  /** The program is not there. */
  get notInstalled(): boolean {
    return this.stderr === NOT_INSTALLED;
  }
}

export interface IptablesOptions {
  readonly backend: IptablesBackend;
  /** Path of the network namespace to act in; absent: our own. */
  readonly netns?: string;
}

/** Seconds to wait for another user of the legacy tables' lock. */
const LOCK_SECONDS = '10';

/** `iptables-save` and `iptables-restore` of one family. */
export class Iptables {
  private readonly prefix: string;

  constructor(
    family: 4 | 6,
    private readonly options: IptablesOptions,
  ) {
    this.prefix = `${family === 4 ? 'iptables' : 'ip6tables'}${options.backend === 'auto' ? '' : `-${options.backend}`}`;
  }

  /** The nat and filter tables as text. Tables that nobody has used are absent. */
  async save(signal?: AbortSignal): Promise<string> {
    // Table by table: without `-t` the legacy program prints only what is loaded, and the nft one what it understands.
    const nat = await this.run(`${this.prefix}-save`, ['-t', 'nat'], undefined, signal);
    return nat + (await this.run(`${this.prefix}-save`, ['-t', 'filter'], undefined, signal));
  }

  /** Applies restore input without touching anything it does not name; each table's part is atomic. */
  async restore(input: string, signal?: AbortSignal): Promise<void> {
    await this.run(`${this.prefix}-restore`, ['--noflush', '--wait', LOCK_SECONDS], input, signal);
  }

  private async run(program: string, args: readonly string[], input?: string, signal?: AbortSignal): Promise<string> {
    const { end, stdout, stderr } = await programOutput({
      ...inNetns(this.options.netns, program, args),
      env: ownEnvironment(),
      timeoutMs: 60_000,
      ...(input === undefined ? {} : { input }),
      ...(signal ? { signal } : {}),
    }).catch((error: unknown) => {
      if (signal?.aborted) throw error;
      throw new IptablesError(program, error instanceof LinuxError && error.code === 'ENOENT' ? NOT_INSTALLED : (error as Error).message, input);
    });
    if (end.code === 0) return stdout;
    const missing = /failed to execute|No such file/.test(stderr);
    throw new IptablesError(program, missing ? NOT_INSTALLED : stderr || `ended by ${end.signal ?? `code ${end.code}`}`, input);
  }
}

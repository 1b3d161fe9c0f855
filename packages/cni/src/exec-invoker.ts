import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { formatArgs } from './args.js';
import { CniError, CniErrorCode } from './error.js';
import type { CniInvoker } from './plugin.js';
import { formatResult, parseResult } from './result.js';
import { CURRENT_VERSION } from './version.js';

export interface ExecInvokerOptions {
  /** Folders with executables named after their type, searched in order: CNI_PATH. */
  readonly path: readonly string[];
  /** Added to the plugins' environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** How executables are run; absent: by Node's `spawn`. */
  readonly run?: RunExecutable;
  /** After which a plugin that has not ended is killed. Default: two minutes to attach or detach, else 15 seconds. */
  readonly timeoutMs?: number;
}

/**
 * Runs an executable without arguments to its end, `env` added to our own environment. Rejects when it cannot be run, when it prints more than
 * `MAX_PLUGIN_OUTPUT`, and when the signal aborts, which kills it with all it has started.
 */
export type RunExecutable = (file: string, env: Readonly<Record<string, string>>, stdin: string, signal?: AbortSignal) => Promise<ExecutableOutput>;

/** What came of it. */
export interface ExecutableOutput {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly endedBy?: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Bytes on a stream: more is rubbish. */
export const MAX_PLUGIN_OUTPUT = 4 * 1024 * 1024;

/** As long as a kubelet waits for what it is a part of. */
const CHANGE_MS = 120_000;
const QUESTION_MS = 15_000;
const MAX_SAID = 2000;

const spawned: RunExecutable = (file, env, stdin, signal) => {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    // In a process group of its own, so that what it has started ends with it when it is given up.
    const child = spawn(file, [], { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const giveUp = (error: Error) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
      for (const stream of child.stdio) stream?.destroy();
      reject(error);
    };
    const aborted = () => giveUp(new Error(String((signal?.reason as Error)?.message ?? signal?.reason)));
    signal?.addEventListener('abort', aborted, { once: true });
    const collect = (stream: Readable) => {
      const parts: Buffer[] = [];
      let size = 0;
      stream.on('data', (part: Buffer) => {
        parts.push(part);
        if ((size += part.length) > MAX_PLUGIN_OUTPUT) giveUp(new Error(`it printed more than ${MAX_PLUGIN_OUTPUT} bytes`));
      });
      return () => Buffer.concat(parts).toString('utf8');
    };
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    child.on('error', reject);
    child.on('close', (exitCode, endedBy) => {
      signal?.removeEventListener('abort', aborted);
      resolve({ exitCode, endedBy, stdout: stdout(), stderr: stderr() });
    });
    // A plugin may exit without reading its input.
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
  });
};

/** The error a plugin printed, or the best that can be said when it printed none. */
function failure(type: string, output: ExecutableOutput): CniError {
  try {
    const { code, msg, details } = JSON.parse(output.stdout) as { code?: unknown; msg?: unknown; details?: unknown };
    if (typeof code === 'number' && typeof msg === 'string') return new CniError(code, msg, typeof details === 'string' ? details : undefined);
  } catch {
    // Not JSON: said below.
  }
  const said = (output.stderr || output.stdout).trim().slice(0, MAX_SAID);
  const how = output.endedBy ? `was ended by ${output.endedBy}` : `failed with exit code ${output.exitCode}`;
  return new CniError(CniErrorCode.internal, `CNI plugin ${type} ${how}${said ? `: ${said}` : ' and no error message'}`);
}

/** Runs plugins as executables: the spec's execution protocol. Aborting the signal kills the plugin; one that hangs is killed too. */
export function execInvoker(options: ExecInvokerOptions): CniInvoker {
  const runExecutable = options.run ?? spawned;
  const find = async (type: string): Promise<string | undefined> => {
    if (type === '' || type.includes('/')) throw new CniError(CniErrorCode.invalidConfig, `invalid plugin type ${JSON.stringify(type)}`);
    for (const dir of options.path) {
      const file = join(dir, type);
      if (
        await access(file, constants.X_OK).then(
          () => true,
          () => false,
        )
      )
        return file;
    }
    return undefined;
  };
  const run = async (type: string, env: Record<string, string>, stdin: string, signal?: AbortSignal): Promise<ExecutableOutput> => {
    const file = await find(type);
    if (!file) throw new CniError(CniErrorCode.invalidConfig, `failed to find plugin ${JSON.stringify(type)} in path [${options.path.join(' ')}]`);
    const ms = options.timeoutMs ?? (env['CNI_COMMAND'] === 'ADD' || env['CNI_COMMAND'] === 'DEL' ? CHANGE_MS : QUESTION_MS);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`it did not end within ${ms / 1000} s`)), ms);
    try {
      const either = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
      return await runExecutable(file, { ...options.env, CNI_PATH: options.path.join(':'), ...env }, stdin, either);
    } catch (error) {
      if (late.signal.aborted)
        throw new CniError(CniErrorCode.internal, `CNI plugin ${type} was stopped: ${(late.signal.reason as Error).message}`, undefined, { cause: error });
      if (signal?.aborted)
        throw new CniError(CniErrorCode.internal, `CNI plugin ${type} was stopped: ${String((signal.reason as Error)?.message ?? signal.reason)}`, undefined, {
          cause: error,
        });
      throw new CniError(CniErrorCode.ioFailure, `CNI plugin ${file} could not be run: ${(error as Error).message}`, undefined, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    has: async (type) => (await find(type)) !== undefined,
    async supportedVersions(type, signal) {
      const output = await run(type, { CNI_COMMAND: 'VERSION' }, JSON.stringify({ cniVersion: CURRENT_VERSION }), signal);
      if (output.exitCode !== 0) throw failure(type, output);
      try {
        const { supportedVersions } = JSON.parse(output.stdout) as { supportedVersions: string[] };
        return supportedVersions;
      } catch (error) {
        throw new CniError(CniErrorCode.decodingFailure, `CNI plugin ${type}: unreadable VERSION answer`, output.stdout, { cause: error });
      }
    },
    async invoke(call, signal) {
      const { config } = call;
      const env: Record<string, string> = { CNI_COMMAND: call.command };
      if (call.command === 'ADD' || call.command === 'CHECK' || call.command === 'DEL') {
        env.CNI_CONTAINERID = call.containerId;
        env.CNI_NETNS = call.netns;
        env.CNI_IFNAME = call.ifname;
        env.CNI_ARGS = formatArgs(call.args);
      }
      const stdin = JSON.stringify(config.prevResult ? { ...config, prevResult: formatResult(config.prevResult, config.cniVersion) } : config);
      const output = await run(config.type, env, stdin, signal);
      if (output.exitCode !== 0) throw failure(config.type, output);
      if (call.command !== 'ADD') return undefined;
      const unreadable = (error?: unknown) =>
        new CniError(CniErrorCode.decodingFailure, `CNI plugin ${config.type}: unreadable result`, output.stdout.slice(0, MAX_SAID), { cause: error });
      let parsed: unknown;
      try {
        parsed = JSON.parse(output.stdout);
      } catch (error) {
        throw unreadable(error);
      }
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw unreadable();
      // A result without a version has the configuration's.
      return parseResult({ cniVersion: config.cniVersion, ...parsed });
    },
  };
}

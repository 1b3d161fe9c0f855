import { closeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { linuxError } from './errors.js';

const require = createRequire(import.meta.url);

/** What a program gets as one of its descriptors: `/dev/null`, a descriptor of ours, or a pipe it writes into and we read. */
export type ProgramDescriptor = 'null' | 'pipe' | number;

export interface ProgramOptions {
  /** Absolute. */
  readonly path: string;
  /** Without the program's name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** From descriptor 0 on. */
  readonly descriptors: readonly ProgramDescriptor[];
  /** In a session of its own: a signal to our process group does not reach it. */
  readonly newSession?: boolean;
}

/** How a program ended: it gave a code, or a signal took it. */
export type ProgramEnd = { readonly code: number; readonly signal?: undefined } | { readonly code?: undefined; readonly signal: NodeJS.Signals };

export interface StartedProgram {
  readonly pid: number;
  /** Our end of what the program got as that descriptor. To be read to its end, or destroyed. */
  pipe(descriptor: number): Readable;
  /**
   * How it ended. This or `endAfter` is to be called once, in any case; this one when it is over or about to be: until then a thread of libuv's
   * pool waits.
   */
  reap(): Promise<ProgramEnd>;
  /** The same once nobody holds the pipe of this descriptor any more. What nobody else reads of it is thrown away. */
  endAfter(descriptor: number): Promise<ProgramEnd>;
}

/**
 * Start a program, in `/`, by posix_spawn(3). Node's own `spawn` forks, which copies the page tables of this process: milliseconds in which
 * a large process does nothing else. Rejects with `LinuxError` when it cannot be run; then nothing is left of it.
 */
export async function startProgram({ path, args, env, descriptors, newSession = false }: ProgramOptions): Promise<StartedProgram> {
  const libc = native();
  const pipes = new Map<number, number>();
  const theirs: number[] = [];
  const actions = Buffer.alloc(OPAQUE_BYTES);
  const attributes = Buffer.alloc(OPAQUE_BYTES);
  try {
    check('prepare descriptors', libc.actionsInit(actions));
    check('prepare attributes', libc.attributesInit(attributes));
    check('go to /', libc.addChdir(actions, '/'));
    for (const [target, wanted] of descriptors.entries()) {
      if (wanted === 'null') check('prepare descriptors', libc.addOpen(actions, target, '/dev/null', O_RDWR, 0));
      else {
        const source = wanted === 'pipe' ? openPipe(libc, target, pipes, theirs) : wanted;
        check('prepare descriptors', libc.addDup(actions, aboveTargets(libc, source, descriptors.length, theirs), target));
      }
    }
    // Ignored signals stay ignored over exec, and Node ignores some.
    check('prepare signals', libc.setDefaults(attributes, Buffer.alloc(SIGSET_BYTES, 0xff)));
    check('prepare signals', libc.setMask(attributes, Buffer.alloc(SIGSET_BYTES)));
    check('prepare attributes', libc.setFlags(attributes, SET_DEFAULTS | SET_MASK | (newSession ? SET_SESSION : 0)));
    const environment = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const pid = await new Promise<number>((resolve, reject) => {
      const out = [0];
      // On a thread of the pool: it waits until the program has taken the place of the copy.
      libc.spawn.async(out, path, actions, attributes, [path, ...args, null], [...environment, null], (error: unknown, errno: number) => {
        if (error) reject(error as Error);
        else if (errno !== 0) reject(linuxError(`run ${path}`, errno));
        else resolve(out[0] as number);
      });
    });
    return started(pid, pipes);
  } catch (error) {
    for (const fd of pipes.values()) closeSync(fd);
    throw error;
  } finally {
    libc.actionsDestroy(actions);
    libc.attributesDestroy(attributes);
    for (const fd of theirs) closeSync(fd);
  }
}

function started(pid: number, pipes: ReadonlyMap<number, number>): StartedProgram {
  const sockets = new Map([...pipes].map(([target, fd]) => [target, new Socket({ fd, readable: true, writable: false })]));
  const pipe = (descriptor: number): Readable => {
    const socket = sockets.get(descriptor);
    if (!socket) throw new RangeError(`descriptor ${descriptor} of the program is no pipe`);
    return socket;
  };
  const reap = async (): Promise<ProgramEnd> => {
    const status = [0];
    const waited = native().wait(pid, status, WNOHANG);
    if (waited < 0) throw linuxError(`wait for process ${pid}`, native().errno());
    if (waited === 0) await waitFor(pid, status);
    return programEnd(status[0] as number);
  };
  const endAfter = async (descriptor: number): Promise<ProgramEnd> => {
    // An error of the pipe, too, ends what can be read; a process that nobody waits for would stay as a zombie.
    await finished(pipe(descriptor).resume()).catch(() => {});
    return reap();
  };
  return { pid, pipe, reap, endAfter };
}

/** What a program that prints little came to. */
export interface ProgramResult {
  readonly end: ProgramEnd;
  /** What it said on descriptor 2, up to a mebibyte. */
  readonly stderr: string;
}

/** Run a program without input; what it prints is thrown away. It has ended when nobody holds its stderr any more. */
export async function runProgram(options: Omit<ProgramOptions, 'descriptors'>): Promise<ProgramResult> {
  const program = await startProgram({ ...options, descriptors: ['null', 'null', 'pipe'] });
  let stderr = '';
  program.pipe(2).on('data', (chunk: Buffer) => {
    if (stderr.length < OUTPUT_LIMIT) stderr += chunk.toString('utf8');
  });
  return { end: await program.endAfter(2), stderr };
}

/** Pure: wait(2)'s status. */
export function programEnd(status: number): ProgramEnd {
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff };
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return { signal: (name ?? `SIG${signal}`) as NodeJS.Signals };
}

function openPipe(libc: Native, target: number, pipes: Map<number, number>, theirs: number[]): number {
  const ends = [0, 0];
  if (libc.pipe(ends, O_CLOEXEC) < 0) throw linuxError('open a pipe', libc.errno());
  const [ours, other] = ends as [number, number];
  pipes.set(target, ours);
  theirs.push(other);
  return other;
}

/** A descriptor that no target's number is given to before it has been copied. */
function aboveTargets(libc: Native, fd: number, targets: number, theirs: number[]): number {
  if (fd >= targets) return fd;
  const copy = libc.fcntl(fd, F_DUPFD_CLOEXEC, targets);
  if (copy < 0) throw linuxError(`duplicate descriptor ${fd}`, libc.errno());
  theirs.push(copy);
  return copy;
}

function waitFor(pid: number, status: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    native().wait.async(pid, status, 0, (error: unknown, waited: number) => {
      if (error) reject(error as Error);
      else if (waited < 0) reject(new Error(`process ${pid} cannot be waited for`));
      else resolve();
    });
  });
}

function check(operation: string, errno: number): void {
  if (errno !== 0) throw linuxError(operation, errno);
}

const OUTPUT_LIMIT = 1024 * 1024;
/** More than any libc's `posix_spawn_file_actions_t` and `posix_spawnattr_t`. */
const OPAQUE_BYTES = 1024;
const SIGSET_BYTES = 128;
const O_RDWR = 2;
const O_CLOEXEC = 0x80000;
const F_DUPFD_CLOEXEC = 1030;
const WNOHANG = 1;
const SET_DEFAULTS = 0x04;
const SET_MASK = 0x08;
const SET_SESSION = 0x80;

type Call = (...args: unknown[]) => number;
/** The last argument is called with an error, or the result. */
type AsyncCall = Call & { async(...args: unknown[]): void };

interface Native {
  readonly pipe: Call;
  readonly fcntl: Call;
  readonly wait: AsyncCall;
  readonly spawn: AsyncCall;
  readonly actionsInit: Call;
  readonly actionsDestroy: Call;
  readonly addOpen: Call;
  readonly addDup: Call;
  readonly addChdir: Call;
  readonly attributesInit: Call;
  readonly attributesDestroy: Call;
  readonly setFlags: Call;
  readonly setMask: Call;
  readonly setDefaults: Call;
  errno(): number;
}

let loaded: Native | undefined;

function native(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const koffi = require('koffi') as { load(path: null): { func(prototype: string): AsyncCall }; errno(): number };
  const libc = koffi.load(null);
  return {
    pipe: libc.func('int pipe2(_Out_ int *fds, int flags)'),
    fcntl: libc.func('int fcntl(int fd, int command, int argument)'),
    wait: libc.func('int waitpid(int pid, _Out_ int *status, int options)'),
    spawn: libc.func('int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)'),
    actionsInit: libc.func('int posix_spawn_file_actions_init(void *actions)'),
    actionsDestroy: libc.func('int posix_spawn_file_actions_destroy(void *actions)'),
    addOpen: libc.func('int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, uint32_t mode)'),
    addDup: libc.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int newfd)'),
    addChdir: libc.func('int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)'),
    attributesInit: libc.func('int posix_spawnattr_init(void *attributes)'),
    attributesDestroy: libc.func('int posix_spawnattr_destroy(void *attributes)'),
    setFlags: libc.func('int posix_spawnattr_setflags(void *attributes, int16_t flags)'),
    setMask: libc.func('int posix_spawnattr_setsigmask(void *attributes, void *set)'),
    setDefaults: libc.func('int posix_spawnattr_setsigdefault(void *attributes, void *set)'),
    errno: () => koffi.errno(),
  };
}

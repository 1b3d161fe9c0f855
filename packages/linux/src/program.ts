import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { linuxError } from './errors.js';
import { loadKoffi } from './native-module.js';

/**
 * What a program gets as one of its descriptors: `/dev/null`, a descriptor of ours, a pipe it writes into and we read, or one that it reads
 * and we write into.
 */
export type ProgramDescriptor = 'null' | 'pipe' | 'input' | number;

export interface ProgramOptions {
  /** Absolute, or a name that is looked for where our `PATH` says. */
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
  /** Our end of what the program reads as that descriptor. To be ended, or destroyed. */
  input(descriptor: number): Writable;
  /**
   * How it ended. This or `endAfter` is to be called once, in any case; this one when it is over or about to be: until then a thread of libuv's
   * pool waits.
   */
  reap(): Promise<ProgramEnd>;
  /** The same once nobody holds the pipe of this descriptor any more. What nobody else reads of it is thrown away. */
  endAfter(descriptor: number): Promise<ProgramEnd>;
}

/**
 * Start a program, in `/`, by posix_spawnp(3). Node's own `spawn` forks, which copies the page tables of this process: milliseconds in which
 * a large process does nothing else. Rejects with `LinuxError` when it cannot be run; then nothing is left of it.
 */
export async function startProgram({ path, args, env, descriptors, newSession = false }: ProgramOptions): Promise<StartedProgram> {
  const libc = native();
  const pipes: OurEnds = new Map();
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
        const source = typeof wanted === 'string' ? openPipe(libc, target, wanted, pipes, theirs) : wanted;
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
    for (const { fd } of pipes.values()) closeSync(fd);
    throw error;
  } finally {
    libc.actionsDestroy(actions);
    libc.attributesDestroy(attributes);
    for (const fd of theirs) closeSync(fd);
  }
}

/** By the program's descriptor. */
type OurEnds = Map<number, { readonly fd: number; readonly kind: 'pipe' | 'input' }>;

function started(pid: number, pipes: OurEnds): StartedProgram {
  const sockets = new Map(
    [...pipes].map(([target, { fd, kind }]) => [target, { kind, socket: new Socket({ fd, readable: kind === 'pipe', writable: kind === 'input' }) }]),
  );
  const end = (descriptor: number, kind: 'pipe' | 'input'): Socket => {
    const found = sockets.get(descriptor);
    if (found?.kind !== kind) throw new RangeError(`descriptor ${descriptor} of the program is no ${kind}`);
    return found.socket;
  };
  const pipe = (descriptor: number): Readable => end(descriptor, 'pipe');
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
  return { pid, pipe, input: (descriptor) => end(descriptor, 'input'), reap, endAfter };
}

/** What a program came to. */
export interface ProgramResult {
  readonly end: ProgramEnd;
  /** What it said on descriptor 2, up to a mebibyte. */
  readonly stderr: string;
}

export interface ProgramOutput extends ProgramResult {
  readonly stdout: string;
}

export interface OutputOptions extends Omit<ProgramOptions, 'descriptors'> {
  /** For descriptor 0; absent: nothing. */
  readonly input?: string;
  /** The program is killed when it aborts. */
  readonly signal?: AbortSignal;
  /** The program is killed after so long; absent: it may take what it takes. */
  readonly timeoutMs?: number;
  /** The program is killed when it prints more; absent: it may print what it likes. */
  readonly maxOutputBytes?: number;
}

/** Run a program for what it prints. Rejects also when it is killed because of `signal`, `timeoutMs` or `maxOutputBytes`. */
export async function programOutput({ input, signal, timeoutMs, maxOutputBytes, ...options }: OutputOptions): Promise<ProgramOutput> {
  signal?.throwIfAborted();
  const program = await startProgram({ ...options, descriptors: [input === undefined ? 'null' : 'input', 'pipe', 'pipe'] });
  const deadline = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const stopped = AbortSignal.any([signal, deadline].filter((each) => each !== undefined));
  const kill = () => {
    // A session of its own is a process group too: what it started ends with it.
    process.kill(options.newSession ? -program.pid : program.pid, 'SIGKILL');
    // What it started may hold them, and outlive it.
    for (const descriptor of [1, 2]) program.pipe(descriptor).destroy();
  };
  stopped.addEventListener('abort', kill, { once: true });
  if (stopped.aborted) kill();
  if (input !== undefined) {
    // A program that ends early closes its input; its end says why.
    program.input(0).on('error', () => {});
    program.input(0).end(input);
  }
  const stderr = gatherStderr(program);
  const chunks: Buffer[] = [];
  let printed = 0;
  program.pipe(1).on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    printed += chunk.length;
    if (printed > (maxOutputBytes ?? Number.POSITIVE_INFINITY)) kill();
  });
  await Promise.all([1, 2].map((descriptor) => finished(program.pipe(descriptor)).catch(() => {})));
  // Until it is waited for, nobody else gets its id.
  const end = await program.reap().finally(() => stopped.removeEventListener('abort', kill));
  if (input !== undefined) program.input(0).destroy();
  signal?.throwIfAborted();
  if (printed > (maxOutputBytes ?? Number.POSITIVE_INFINITY)) throw new Error(`it printed more than ${maxOutputBytes} bytes`);
  if (deadline?.aborted) throw new Error(`${options.path} did not end within ${timeoutMs} ms`);
  return { end, stdout: Buffer.concat(chunks).toString('utf8'), stderr: stderr() };
}

/** Run a program without input; what it prints is thrown away. It has ended when nobody holds its stderr any more. */
export async function runProgram(options: Omit<ProgramOptions, 'descriptors'>): Promise<ProgramResult> {
  const program = await startProgram({ ...options, descriptors: ['null', 'null', 'pipe'] });
  const stderr = gatherStderr(program);
  return { end: await program.endAfter(2), stderr: stderr() };
}

/** Answers what has been said so far. */
function gatherStderr(program: StartedProgram): () => string {
  let said = '';
  program.pipe(2).on('data', (chunk: Buffer) => {
    if (said.length < OUTPUT_LIMIT) said += chunk.toString('utf8');
  });
  return () => said;
}

/** A program's arguments, to be run in the network namespace of a path; absent: in our own. */
export const inNetns = (netns: string | undefined, program: string, args: readonly string[]): Pick<ProgramOptions, 'path' | 'args'> =>
  netns === undefined ? { path: program, args } : { path: 'nsenter', args: [`--net=${netns}`, program, ...args] };

/** Our own environment, for programs that act for us. */
export const ownEnvironment = (): Record<string, string> =>
  Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

/** Pure: wait(2)'s status. */
export function programEnd(status: number): ProgramEnd {
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff };
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return { signal: (name ?? `SIG${signal}`) as NodeJS.Signals };
}

function openPipe(libc: Native, target: number, kind: 'pipe' | 'input', pipes: OurEnds, theirs: number[]): number {
  const ends = [0, 0];
  if (libc.pipe(ends, O_CLOEXEC) < 0) throw linuxError('open a pipe', libc.errno());
  const [readEnd, writeEnd] = ends as [number, number];
  const [ours, other] = kind === 'pipe' ? [readEnd, writeEnd] : [writeEnd, readEnd];
  pipes.set(target, { fd: ours, kind });
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
  const koffi = loadKoffi() as { load(path: null): { func(prototype: string): AsyncCall }; errno(): number };
  const libc = koffi.load(null);
  return {
    pipe: libc.func('int pipe2(_Out_ int *fds, int flags)'),
    fcntl: libc.func('int fcntl(int fd, int command, int argument)'),
    wait: libc.func('int waitpid(int pid, _Out_ int *status, int options)'),
    spawn: libc.func('int posix_spawnp(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)'),
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

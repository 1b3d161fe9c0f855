import * as fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { type LinuxError, linuxError } from './errors.js';
import { koffiPath, loadKoffi } from './native-module.js';
import { type ThreadReply, type ThreadRequest, threadProgram } from './thread-program.js';

export type ThreadSuccess = Extract<ThreadReply, { ok: true }>;

/** Runs system calls that change the calling thread (namespaces) or may block in the kernel (netlink, mounts). */
export interface SyscallThread {
  /** Requests run in order, one at a time. Rejects with a `LinuxError`. */
  run(request: ThreadRequest): Promise<ThreadSuccess>;
  /** A second thread, for what the kernel takes long over. Absent: this one does that too. */
  slow?(): SyscallThread;
  /** Lets go of the thread; a later `run` starts a new one. */
  close(): Promise<void>;
}

/**
 * esbuild's keepNames wraps functions in a helper of the bundle (`__name`, or whatever a minifier calls it), which the
 * worker does not have. Its name is read off a function that was wrapped in the same way.
 */
function nameHelper(): string | undefined {
  const probe = () => {
    const wrapped = () => 0;
    return wrapped;
  };
  return /([\w$]+)\(\s*\(\)\s*=>\s*0\s*,/.exec(probe.toString())?.[1];
}

function settle(reply: ThreadReply): ThreadSuccess | LinuxError {
  return reply.ok ? reply : linuxError(reply.operation, reply.errno, reply.message);
}

/**
 * A worker thread of our own, started on first use and kept for speed; it does not keep the process alive while idle.
 * The event loop never waits for the kernel's network lock.
 */
export function workerThread(): SyscallThread {
  interface Pending {
    resolve(value: ThreadSuccess): void;
    reject(error: Error): void;
  }
  let worker: Worker | undefined;
  let pending: Pending[] = [];
  let slow: SyscallThread | undefined;

  const helper = nameHelper();
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    ${helper === undefined ? '' : `const ${helper} = (target) => target;`}
    const handle = (${threadProgram.toString()})(require(workerData.koffi), require('node:fs'));
    parentPort.on('message', (request) => {
      const reply = handle(request);
      parentPort.postMessage(reply);
      if (reply.poisoned) process.exit(1);
    });
  `;

  const start = (): Worker => {
    const started = new Worker(source, {
      eval: true,
      name: 'coxswain-syscalls',
      workerData: { koffi: koffiPath() },
      execArgv: [],
      stdin: false,
      // Descriptors from socket(2) and fs are closed by the program itself; Node knows only the latter.
      trackUnmanagedFds: false,
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    started.unref();
    const mine = () => worker === started;
    started.on('message', (reply: ThreadReply) => {
      const waiter = pending.shift();
      if (pending.length === 0) started.unref();
      const outcome = settle(reply);
      if (outcome instanceof Error) waiter?.reject(outcome);
      else waiter?.resolve(outcome);
    });
    const fail = (error: Error) => {
      if (!mine()) return;
      worker = undefined;
      const waiters = pending;
      pending = [];
      for (const waiter of waiters) waiter.reject(error);
    };
    started.on('error', fail);
    started.on('exit', (code) => fail(new Error(`system call thread exited with code ${code}`)));
    return started;
  };

  return {
    run(request) {
      worker ??= start();
      const target = worker;
      target.ref();
      return new Promise<ThreadSuccess>((resolve, reject) => {
        pending.push({ resolve, reject });
        target.postMessage(request);
      });
    },
    slow() {
      slow ??= workerThread();
      return slow;
    },
    async close() {
      await slow?.close();
      const target = worker;
      if (!target) return;
      await target.terminate();
      worker = undefined;
    },
  };
}

/**
 * The same on the calling thread, for short-lived programs such as a CNI executable, which save the thread's start.
 * Each request is one synchronous step, so no other JavaScript ever runs inside a foreign namespace.
 */
export function inlineThread(): SyscallThread {
  let handle: ((request: ThreadRequest) => ThreadReply) | undefined;
  return {
    async run(request) {
      handle ??= threadProgram(loadKoffi(), fs);
      const reply = handle(request);
      // Going on in a foreign namespace would corrupt it or us.
      if (!reply.ok && reply.poisoned) process.abort();
      const outcome = settle(reply);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    async close() {
      handle = undefined;
    },
  };
}

let shared: SyscallThread | undefined;

/** The process's one worker thread for system calls; the default everywhere in this package. */
export function sharedThread(): SyscallThread {
  shared ??= workerThread();
  return shared;
}

/** Choose what `sharedThread()` gives, before its first use. */
export function useThread(thread: SyscallThread): void {
  shared = thread;
}

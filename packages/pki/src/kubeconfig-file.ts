import { closeSync, existsSync, mkdirSync, openSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from './files.js';
import { type KubeconfigEntry, KubeconfigError, mergeIntoKubeconfig, removeFromKubeconfig } from './kubeconfig.js';

/** The file kubectl would write to: the first of $KUBECONFIG, else ~/.kube/config. */
export function defaultKubeconfigPath(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const listed = env['KUBECONFIG']?.split(':').find((p) => p !== '');
  return listed ?? join(homedir(), '.kube', 'config');
}

export function mergeKubeconfigFile(path: string, entry: KubeconfigEntry): void {
  edit(path, (text) => mergeIntoKubeconfig(text, entry));
}

/** Harmless when there is no file, or nothing of that name in it. */
export function removeFromKubeconfigFile(path: string, name: string): void {
  if (existsSync(path)) edit(path, (text) => removeFromKubeconfig(text, name));
}

/** An edit takes milliseconds. */
const LOCK_WAIT_MS = 3000;
const LOCK_RETRY_MS = 50;

function edit(path: string, change: (text: string) => string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    whileLocked(path, () => editLocked(path, change));
  } catch (error) {
    const { message } = error as Error;
    throw new KubeconfigError(message.includes(path) ? message : `${path}: ${message}`, { cause: error });
  }
}

/** The lock is kubectl's own, so that the two exclude each other. */
function whileLocked(path: string, run: () => void): void {
  const lock = `${path}.lock`;
  for (let waited = 0; ; waited += LOCK_RETRY_MS) {
    try {
      closeSync(openSync(lock, 'wx', 0o600));
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (waited >= LOCK_WAIT_MS)
        throw new KubeconfigError(`${path} is being changed by another program (${lock} exists); if none is running, remove the lock file`, { cause: error });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_RETRY_MS);
    }
  }
  try {
    run();
  } finally {
    rmSync(lock, { force: true });
  }
}

function editLocked(path: string, change: (text: string) => string): void {
  // A link stays a link: the file it points to is replaced.
  const target = existsSync(path) ? realpathSync(path) : path;
  const text = existsSync(target) ? readFileSync(target, 'utf8') : '';
  const mode = existsSync(target) ? statSync(target).mode & 0o777 : 0o600;
  const changed = change(text);
  if (changed !== text) writeFileAtomic(target, changed, mode);
}

import { resolve } from 'node:path';
import { MAX_PLUGIN_OUTPUT, type RunExecutable } from '@coxswain/cni';
import { ownEnvironment, programOutput } from '@coxswain/linux';

/** Runs CNI plugins without a fork of this process, which would stop it for the time its page tables are copied. */
export const runExecutable: RunExecutable = async (file, env, input, signal) => {
  // Programs start in `/`.
  const path = resolve(file);
  const options = { path, args: [], env: { ...ownEnvironment(), ...env }, input, newSession: true, maxOutputBytes: MAX_PLUGIN_OUTPUT };
  const { end, stdout, stderr } = await programOutput({ ...options, ...(signal ? { signal } : {}) });
  return { exitCode: end.code ?? null, endedBy: end.signal ?? null, stdout, stderr };
};

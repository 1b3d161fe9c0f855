import { resolve } from 'node:path';
import type { RunExecutable } from '@coxswain/cni';
import { ownEnvironment, programOutput } from '@coxswain/linux';

/** Runs CNI plugins without a fork of this process, which would stop it for the time its page tables are copied. */
export const runExecutable: RunExecutable = async (file, env, input, signal) => {
  // Programs start in `/`.
  const path = resolve(file);
  const { end, stdout, stderr } = await programOutput({ path, args: [], env: { ...ownEnvironment(), ...env }, input, ...(signal ? { signal } : {}) });
  return { exitCode: end.code ?? null, stdout, stderr };
};

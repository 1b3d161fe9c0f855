import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { CliError } from '@coxswain/command';
import { Cgroup, detectCgroups } from '@coxswain/linux';
import type { Logger } from '@coxswain/sdk';
import type { KubeletSettings } from './kubelet-settings.js';

/** What upstream wants of the kernel, by its file below /proc/sys. */
const KERNEL_DEFAULTS: Readonly<Record<string, string>> = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

/** Whether this machine is what the configuration wants. Rejects with what to change. */
export async function checkMachine({ failSwapOn = true, failCgroupV1 = false, protectKernelDefaults = false }: KubeletSettings): Promise<void> {
  if (failSwapOn) {
    const swaps = (await readFile('/proc/swaps', 'utf8').catch(() => '')).trim().split('\n').slice(1);
    if (swaps.length > 0)
      throw new CliError(
        `running with swap on is not supported, please disable swap or set --fail-swap-on flag to false (on: ${swaps.map((line) => line.split(/\s/)[0]).join(', ')})`,
      );
  }
  if (failCgroupV1 && (await detectCgroups()).version === 1)
    throw new CliError('kubelet is configured to not run on a host using cgroup v1', 'boot with cgroup v2, or set failCgroupV1 to false');
  if (!protectKernelDefaults) return;
  const wrong: string[] = [];
  for (const [path, wanted] of Object.entries(KERNEL_DEFAULTS)) {
    const value = (await readFile(`/proc/sys/${path}`, 'utf8').catch(() => '')).trim();
    if (value !== wanted) wrong.push(`invalid kernel flag: ${path}, expected value: ${wanted}, actual value: ${value || 'none'}`);
  }
  if (wrong.length > 0) throw new CliError(wrong.join('\n'), 'set them with sysctl, or set protectKernelDefaults to false');
}

/** Makes this process what the configuration wants. What the machine does not let us do is told and gone without, as upstream does. */
export async function setUpProcess({ oomScoreAdj = -999, maxOpenFiles = 1_000_000, kubeletCgroups }: KubeletSettings, logger: Logger): Promise<void> {
  const told = (message: string) => (error: Error) => logger.warn(message, { reason: error.message.trim().split('\n').at(-1) });
  await writeFile('/proc/self/oom_score_adj', String(oomScoreAdj)).catch(told(`the OOM score of the kubelet cannot be set to ${oomScoreAdj}`));
  const limit = `--nofile=${maxOpenFiles}:${maxOpenFiles}`;
  await promisify(execFile)('prlimit', ['--pid', String(process.pid), limit]).catch(told(`the limit of open files cannot be set to ${maxOpenFiles}`));
  if (kubeletCgroups === undefined) return;
  const group = await Cgroup.at(kubeletCgroups);
  await group.create();
  await group.addProcess(process.pid);
}

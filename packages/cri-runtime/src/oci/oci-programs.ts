import { accessSync, constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CgroupLayout, programOutput } from '@coxswain/linux';
import { installProgram } from '../elf/install-program.js';
import { launcherProgram } from '../elf/launcher.js';
import { hostElfArch } from '../elf/programs.js';

/** The environment OCI runtimes are run with: of ours, what finds programs. */
export const RUNTIME_ENV = { PATH: process.env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/** crun is the default from this version on, the oldest our suites have been run with. */
const TRIED_CRUN = [1, 8] as const;

export interface OciProgramsOptions {
  /** Program by RuntimeClass handler; the first is the default. Absent: `crun` and `runc`, whichever are installed. */
  readonly runtimes?: Readonly<Record<string, string>>;
  /** Where a launcher may be written: a folder whose file system allows to execute, there as long as containers are. */
  readonly dir: string;
  readonly cgroups: CgroupLayout;
}

/**
 * What to run for each RuntimeClass handler, the default first: the OCI runtime's absolute path, or that of a launcher.
 * crun comes before runc: it starts a container with a fraction of the work. A crun older than 1.8 comes after it.
 * Throws with what to install when a runtime that is asked for, or every one, is missing.
 */
export async function ociPrograms({ runtimes, dir, cgroups }: OciProgramsOptions): Promise<ReadonlyMap<string, string>> {
  const out = new Map<string, string>();
  let late: [string, string] | undefined;
  for (const [handler, name] of Object.entries(runtimes ?? { crun: 'crun', runc: 'runc' })) {
    const program = lookUp(name);
    if (program === undefined) {
      if (runtimes) throw new Error(`the OCI runtime ${name} of handler ${handler} is not installed`);
      continue;
    }
    const crun = await crunVersion(program);
    const command = crun ? await writeLauncher(dir, handler, program, cgroups) : program;
    if (!runtimes && crun && isOlder(crun, TRIED_CRUN)) late = [handler, command];
    else out.set(handler, command);
  }
  if (late) out.set(...late);
  if (out.size === 0) throw new Error('no OCI runtime is installed: apt-get install crun, or runc');
  return out;
}

/** `runtimes` of a list of handlers, each `name` or `name=/path/to/program`; absent for an empty list. Pure. */
export function parseRuntimes(list: readonly string[]): { readonly runtimes?: Readonly<Record<string, string>> } {
  if (list.length === 0) return {};
  const entry = (text: string): [string, string] => {
    const at = text.indexOf('=');
    return at < 0 ? [text, text] : [text.slice(0, at), text.slice(at + 1)];
  };
  return { runtimes: Object.fromEntries(list.map(entry)) };
}

/** Absolute path of a program, or undefined. */
export function lookUp(name: string): string | undefined {
  const candidates = name.includes('/') ? [name] : `${RUNTIME_ENV.PATH}:/usr/sbin:/sbin`.split(':').map((dir) => join(dir, name));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What an OCI runtime says of itself; empty when it cannot be run. */
export const runtimeVersion = (program: string): Promise<string> =>
  programOutput({ path: program, args: ['--version'], env: RUNTIME_ENV, timeoutMs: 10_000 }).then(
    ({ stdout }) => stdout,
    () => '',
  );

/** Undefined when it is no crun. */
async function crunVersion(program: string): Promise<readonly [number, number] | undefined> {
  const found = /^crun version (\d+)\.(\d+)/m.exec(await runtimeVersion(program));
  return found ? [Number(found[1]), Number(found[2])] : undefined;
}

const isOlder = (a: readonly [number, number], b: readonly [number, number]) => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);

/** crun refuses hybrid cgroups (v1 with a v2 hierarchy beside), so there it runs where the v2 one is not mounted. */
async function writeLauncher(dir: string, handler: string, program: string, cgroups: CgroupLayout): Promise<string> {
  const path = join(dir, `${handler}-launcher`);
  const unified = cgroups.version === 1 ? cgroups.unified : undefined;
  const without = unified === undefined ? {} : { without: { mountPoint: unified, parent: dirname(unified) } };
  await installProgram(path, launcherProgram(hostElfArch(), { program, ...without }));
  return path;
}

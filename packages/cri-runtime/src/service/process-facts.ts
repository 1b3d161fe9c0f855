import { readdir, readFile, readlink } from 'node:fs/promises';

export interface ProcessFacts {
  readonly count: number;
  readonly descriptors: number;
  readonly sockets: number;
  /** By cAdvisor's names. */
  readonly states: Readonly<Record<string, number>>;
  /** Soft limit of the first process; undefined: there is none. */
  readonly openFiles: number | undefined;
}

const STATES: Readonly<Record<string, string>> = { R: 'running', S: 'sleeping', I: 'sleeping', D: 'uninterruptible', T: 'stopped', t: 'stopped' };

/** What processes hold open, and what they are at. Those that end meanwhile are left out. */
export async function processFacts(pids: readonly number[]): Promise<ProcessFacts> {
  const states: Record<string, number> = { sleeping: 0, running: 0, stopped: 0, uninterruptible: 0, iowaiting: 0 };
  let [descriptors, sockets] = [0, 0];
  await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      const state = STATES[stat.slice(stat.lastIndexOf(')') + 2)[0] ?? ''];
      if (state) states[state] = (states[state] ?? 0) + 1;
      const open = await readdir(`/proc/${pid}/fd`).catch(() => []);
      descriptors += open.length;
      const targets = await Promise.all(open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
      sockets += targets.filter((target) => target.startsWith('socket:')).length;
    }),
  );
  return { count: pids.length, descriptors, sockets, states, openFiles: await softOpenFiles(pids[0]) };
}

async function softOpenFiles(pid: number | undefined): Promise<number | undefined> {
  const limits = pid === undefined ? '' : await readFile(`/proc/${pid}/limits`, 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

import { fail, type Take, text } from './takes.js';

/** How many CPUs a list of them names, `0-3,8`. */
export const countCpus: Take<number> = (v) => {
  const cpus = new Set<number>();
  for (const part of text(v).split(',')) {
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (from === undefined || Number(to) < Number(from)) return fail('a list of CPUs such as 0-3,8');
    for (let cpu = Number(from); cpu <= Number(to); cpu++) cpus.add(cpu);
  }
  return cpus.size;
};

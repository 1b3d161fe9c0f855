import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeViews } from '@coxswain/cluster';
import type { Random } from '@coxswain/sdk';
import { command, type ClusterFixture, coxProgram } from '../cluster-fixture.js';
import { spawn } from 'node:child_process';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Something bad that happens to a cluster; returns what it did, in words. The cluster mends it alone, or `cox up` does when `needsUp`. */
export interface Fault {
  readonly name: string;
  readonly weight: number;
  readonly needsUp?: boolean;
  /** Whether the cluster has what is to be hurt. */
  applies?(cluster: ClusterFixture): boolean;
  run(cluster: ClusterFixture, random: Random): Promise<string>;
}

/** Processes of a cluster, by a part of their command lines. */
function processesNaming(cluster: ClusterFixture, program: RegExp): number[] {
  const found: number[] = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const cgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
      const own = args.some((arg) => arg.includes(`${cluster.folder}/`)) || cgroup.includes(`/coxswain-${cluster.name}/`);
      if (own && program.test(args.slice(0, 2).join(' '))) found.push(Number(pid));
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const choose = <T>(random: Random, items: readonly T[]): T | undefined => items[random.int(items.length)];

function rolesOf(cluster: ClusterFixture): string[] {
  const { config } = cluster;
  const folders = [
    { name: '', run: config.paths.run },
    ...(config.hosts.length > 0 ? nodeViews(config).map((view) => ({ name: `${view.nodeName}/`, run: view.paths.run })) : []),
  ];
  return folders.flatMap(({ name, run }) => {
    try {
      return readdirSync(join(run, 'supervised')).map((role) => `${name}${role}`);
    } catch {
      return [];
    }
  });
}

/** Tries for a while to meet a short-lived process in the middle of what it does. */
function killInTheMiddle(name: string, program: RegExp, weight: number): Fault {
  return {
    name,
    weight,
    async run(cluster, random) {
      const until = performance.now() + 4000;
      const after = random.int(4);
      for (let met = 0; performance.now() < until; await sleep(1)) {
        const [pid] = processesNaming(cluster, program);
        if (pid === undefined || met++ < after) continue;
        kill(pid);
        return `${name} ${pid}`;
      }
      return `${name}: met none`;
    },
  };
}

function killOne(name: string, program: RegExp, weight: number): Fault {
  return {
    name,
    weight,
    applies: (cluster) => processesNaming(cluster, program).length > 0,
    async run(cluster, random) {
      const pid = choose(random, processesNaming(cluster, program));
      if (pid !== undefined) kill(pid);
      return `${name} ${pid}`;
    },
  };
}

/** A cox command that is killed half-way. */
async function halfway(cluster: ClusterFixture, args: readonly string[], ms: number): Promise<void> {
  const child = spawn(process.execPath, [coxProgram, ...args, '--name', cluster.name], { env: { ...process.env, ...cluster.env }, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  await Promise.race([ended, sleep(ms)]);
  child.kill('SIGKILL');
  await ended;
}

export const faults: readonly Fault[] = [
  {
    name: 'kill a process',
    weight: 6,
    async run(cluster, random) {
      const role = choose(random, rolesOf(cluster)) ?? 'node';
      kill(cluster.pid(role));
      return `kill -9 ${role}`;
    },
  },
  {
    name: 'kill several processes at once',
    weight: 3,
    async run(cluster, random) {
      const roles = rolesOf(cluster).filter(() => random.int(2) === 0);
      for (const role of roles) kill(cluster.pid(role));
      return `kill -9 ${roles.join()}`;
    },
  },
  {
    name: 'kill processes with their supervisors',
    weight: 2,
    needsUp: true,
    async run(cluster, random) {
      const roles = rolesOf(cluster).filter(() => random.int(2) === 0);
      cluster.killWithSupervisors(...roles);
      return `kill -9 with supervisors ${roles.join()}`;
    },
  },
  {
    name: 'kill and come back in the middle of starting',
    weight: 2,
    async run(cluster, random) {
      const role = choose(random, rolesOf(cluster)) ?? 'node';
      const waits = [random.int(1500), random.int(1500)];
      kill(cluster.pid(role));
      for (const ms of waits) {
        await sleep(ms);
        kill(cluster.pid(role));
      }
      return `kill -9 ${role}, again after ${waits.join()} ms`;
    },
  },
  {
    name: 'up killed half-way',
    weight: 2,
    needsUp: true,
    async run(cluster, random) {
      const ms = 100 + random.int(2500);
      const roles = rolesOf(cluster);
      cluster.killWithSupervisors(...roles);
      await halfway(cluster, ['up'], ms);
      return `everything killed, cox up killed after ${ms} ms`;
    },
  },
  {
    name: 'down killed half-way',
    weight: 2,
    needsUp: true,
    async run(cluster, random) {
      const ms = 100 + random.int(2500);
      await halfway(cluster, ['down'], ms);
      return `cox down killed after ${ms} ms`;
    },
  },
  {
    name: 'a process stops for a while',
    weight: 2,
    async run(cluster, random) {
      const role = choose(random, rolesOf(cluster)) ?? 'node';
      const ms = 2000 + random.int(15_000);
      const pid = cluster.pid(role);
      kill(pid, 'SIGSTOP');
      await sleep(ms);
      kill(pid, 'SIGCONT');
      return `SIGSTOP ${role} for ${ms} ms`;
    },
  },
  killOne('conmon', /conmon/, 3),
  killOne('a shim', /containerd-shim/, 3),
  killOne('a main process of a container', /^(httpd|sh|sleep|pause|\/pause)/, 2),
  killInTheMiddle('crun or runc', /(^|\/)(crun|runc)/, 4),
  killInTheMiddle('a CNI program', /\/cni(-|\/)/, 1),
  {
    name: 'the link of a host goes down and up',
    weight: 2,
    applies: (cluster) => cluster.config.hosts.length > 0,
    async run(cluster, random) {
      const host = 1 + random.int(cluster.config.hosts.length);
      const link = `cox${cluster.config.index}-h${host}`;
      const ms = 1000 + random.int(20_000);
      await command('ip', ['link', 'set', link, 'down']);
      await sleep(ms);
      await command('ip', ['link', 'set', link, 'up']);
      return `${link} down for ${ms} ms`;
    },
  },
];

/** By weight, of those that the cluster has something for. */
export function chooseFault(cluster: ClusterFixture, random: Random, only?: RegExp): Fault {
  const able = faults.filter((fault) => (fault.applies?.(cluster) ?? true) && (only?.test(fault.name) ?? true));
  let left = random.int(able.reduce((sum, { weight }) => sum + weight, 0));
  for (const fault of able) if ((left -= fault.weight) < 0) return fault;
  throw new Error('no fault applies');
}

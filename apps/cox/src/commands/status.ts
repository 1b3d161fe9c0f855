import { readFileSync } from 'node:fs';
import { nodeViews } from '@coxswain/cluster';
import { CliError } from '@coxswain/command';
import { requireCluster } from '../cluster/clusters.js';
import { certificateEnd, certificateHint } from '../cluster/certificate-end.js';
import { type AdminApi, adminApi } from '../cluster/admin-api.js';
import { type ClusterProcess, processesOf, running, supervisionOf } from '../cluster/processes.js';
import { isHeld, restartsOf, supervisorOf } from '../supervise/supervision.js';
import { table } from '../ui/table.js';

export interface StatusOptions {
  readonly name: string;
  readonly output: 'text' | 'json';
}

interface ProcessStatus {
  readonly name: string;
  readonly running: boolean;
  /** `restarting`: it ended, and is started again after a while that grows. */
  readonly status: 'running' | 'restarting' | 'stopped';
  readonly pid?: number;
  readonly memoryMiB?: number;
  /** How often it was started again since the last `cox up` that started it. */
  readonly restarts: number;
  /** When, and why, it last ended by itself. */
  readonly lastEnd?: { readonly at: string; readonly reason: string };
}

interface NodeStatus {
  readonly name: string;
  readonly address: string;
  readonly podCIDR: string;
  /** As the kubelet tells it, `containerd://1.6.20`. */
  readonly runtime: string;
  readonly ready: boolean;
  readonly reason: string;
}

interface ClusterStatus {
  readonly name: string;
  readonly running: boolean;
  /** What runs its containers. */
  readonly runtime: string;
  readonly server: string;
  readonly processes: readonly ProcessStatus[];
  readonly api: { readonly ready: boolean; readonly message: string };
  readonly nodes: readonly NodeStatus[];
  readonly pods: { readonly running: number; readonly total: number };
  /** When the first of its certificates ends. */
  readonly certificatesExpire?: string;
}

/** `cox status`: exit code 0 when everything runs and every node is Ready, else 1. */
export async function status(options: StatusOptions): Promise<void> {
  const config = requireCluster(options.name);
  const processes = processesOf(config).map(processStatus);
  const server = `https://127.0.0.1:${config.ports.apiServer}`;
  const down: Pick<ClusterStatus, 'api' | 'nodes' | 'pods'> = { api: { ready: false, message: 'not running' }, nodes: [], pods: { running: 0, total: 0 } };
  const api = processes.some((p) => p.running && /(^|\/)control-plane$/.test(p.name)) ? await using(adminApi(config), look) : down;
  const end = certificateEnd([...new Set([config, ...nodeViews(config)].map(({ paths }) => paths.pki))]);
  const all: ClusterStatus = {
    name: options.name,
    running: processes.every((p) => p.running),
    runtime: [...new Set(nodeViews(config).map((view) => view.runtime))].join(', '),
    server,
    processes,
    ...api,
    ...(end === undefined ? {} : { certificatesExpire: new Date(end).toISOString() }),
  };
  const ending = certificateHint(end, Date.now(), options.name);
  if (options.output === 'json') console.log(JSON.stringify(all, undefined, 2));
  else print(all, ending);
  const healthy = all.running && all.api.ready && all.nodes.length > 0 && all.nodes.every((n) => n.ready);
  if (!healthy) throw new CliError(`cluster "${options.name}" is not healthy`, hint(all));
}

function processStatus({ view, role, name }: ClusterProcess): ProcessStatus {
  const supervision = supervisionOf(view, role);
  const process = running(view, role);
  const { count, at, reason } = restartsOf(supervision);
  const ends = { restarts: count, ...(at === undefined || reason === undefined ? {} : { lastEnd: { at: new Date(at).toISOString(), reason } }) };
  if (process) return { name, running: true, status: 'running', pid: process.pid, memoryMiB: residentMiB(process.pid), ...ends };
  return { name, running: false, status: supervisorOf(supervision) && !isHeld(supervision) ? 'restarting' : 'stopped', ...ends };
}

/** What to do about a cluster that is not healthy. */
function hint({ name, processes }: ClusterStatus): string {
  const restarting = processes.find(({ status }) => status === 'restarting');
  if (restarting) return `it is started again by itself; why it ended: cox logs ${restarting.name} --name ${name}`;
  return processes.every(({ running }) => running) ? `look at: cox logs node --name ${name}` : `start what is missing with: cox up --name ${name}`;
}

async function using<T>(api: AdminApi, run: (api: AdminApi) => Promise<T>): Promise<T> {
  try {
    return await run(api);
  } finally {
    await api.close();
  }
}

async function look(api: AdminApi): Promise<Pick<ClusterStatus, 'api' | 'nodes' | 'pods'>> {
  try {
    const ready = await api.readyz();
    const nodes = (await api.nodes()).map((node): NodeStatus => {
      const condition = node.status?.conditions?.find((c) => c.type === 'Ready');
      return {
        name: node.metadata?.name ?? '',
        address: node.status?.addresses?.find((a) => a.type === 'InternalIP')?.address ?? '',
        podCIDR: node.spec?.podCIDR ?? '',
        runtime: node.status?.nodeInfo?.containerRuntimeVersion ?? '',
        ready: condition?.status === 'True',
        reason: condition?.message ?? 'has not reported yet',
      };
    });
    const pods = await api.pods();
    return {
      api: { ready: ready === 'ok', message: ready },
      nodes,
      pods: { running: pods.filter((p) => p.status?.phase === 'Running').length, total: pods.length },
    };
  } catch (error) {
    return { api: { ready: false, message: (error as Error).message }, nodes: [], pods: { running: 0, total: 0 } };
  }
}

function residentMiB(pid: number): number {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
  return Math.round((Number(pages) * 4096) / 1024 / 1024);
}

function print(s: ClusterStatus, ending: string | undefined): void {
  console.log(`cluster ${s.name}: API server ${s.api.ready ? 'ready' : s.api.message} at ${s.server}, containers by ${s.runtime}`);
  console.log(
    table(
      ['PROCESS', 'STATUS', 'PID', 'MEMORY', 'RESTARTS'],
      s.processes.map((p) => [p.name, p.status, String(p.pid ?? '-'), p.memoryMiB === undefined ? '-' : `${p.memoryMiB} MiB`, restarts(p)]),
    ),
  );
  if (s.nodes.length > 1) {
    const row = (n: NodeStatus) => [n.name, n.address || '-', n.podCIDR || '-', n.runtime || '-', n.ready ? 'Ready' : `NotReady (${n.reason})`];
    console.log(table(['NODE', 'ADDRESS', 'PODS', 'RUNTIME', 'STATUS'], s.nodes.map(row)));
  } else for (const n of s.nodes) console.log(`node ${n.name}: ${n.ready ? 'Ready' : `NotReady (${n.reason})`}`);
  console.log(`pods: ${s.pods.running} of ${s.pods.total} running`);
  if (ending !== undefined) console.log(ending);
}

/** As `kubectl get pods` has it, and why: `2 (5m ago: killed by SIGKILL)`. */
function restarts({ restarts: count, lastEnd }: ProcessStatus): string {
  return lastEnd ? `${count} (${ago(Date.now() - Date.parse(lastEnd.at))} ago: ${lastEnd.reason})` : String(count);
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

import { readdirSync, readFileSync } from 'node:fs';
import type { Metric } from './metrics.js';

const PAGE_BYTES = 4096;

/**
 * What Prometheus clients tell of their process (`process_*`) and of Node.js (`nodejs_*`). Read when it is printed; components that
 * share a process print the same.
 */
export class ProcessMetrics implements Metric {
  expose(): string {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    const out: string[] = [];
    const add = (type: 'counter' | 'gauge', name: string, help: string, value: number | undefined, labels = '') => {
      if (value !== undefined) out.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name}${labels} ${value}`);
    };
    add('counter', 'process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', (user + system) / 1e6);
    add('gauge', 'process_resident_memory_bytes', 'Resident memory size in bytes.', rss);
    add('gauge', 'process_virtual_memory_bytes', 'Virtual memory size in bytes.', virtualMemory());
    add('gauge', 'process_start_time_seconds', 'Start time of the process since unix epoch in seconds.', performance.timeOrigin / 1000);
    add('gauge', 'process_open_fds', 'Number of open file descriptors.', openFiles());
    add('gauge', 'process_max_fds', 'Maximum number of open file descriptors.', maxFiles());
    add('gauge', 'nodejs_heap_size_used_bytes', 'Process heap size used from Node.js in bytes.', heapUsed);
    add('gauge', 'nodejs_heap_size_total_bytes', 'Process heap size from Node.js in bytes.', heapTotal);
    add('gauge', 'nodejs_external_memory_bytes', 'Node.js external memory size in bytes.', external);
    add('gauge', 'nodejs_active_resources_total', 'Total number of active resources.', process.getActiveResourcesInfo().length);
    const [major, minor, patch] = process.versions.node.split('.');
    add('gauge', 'nodejs_version_info', 'Node.js version info.', 1, `{version="${process.version}",major="${major}",minor="${minor}",patch="${patch}"}`);
    return out.join('\n');
  }
}

function virtualMemory(): number | undefined {
  const pages = attempt(() => Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[0]));
  return pages === undefined ? undefined : pages * PAGE_BYTES;
}

const openFiles = () => attempt(() => readdirSync('/proc/self/fd').length);

const maxFiles = () => {
  const limit = attempt(() => Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]));
  return limit !== undefined && Number.isFinite(limit) ? limit : undefined;
};

/** Not every system has /proc. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

import type { CriConnection } from '@coxswain/cri';
import { Counter, Histogram, type Clock, type MetricRegistry } from '@coxswain/sdk';

/** Upstream's: from 5 ms, times 2.5. */
const BUCKETS = Array.from({ length: 14 }, (_, i) => Number((0.005 * 2.5 ** i).toPrecision(6)));

/** What upstream calls each call; whatever is not here is not counted there either. */
const OPERATIONS: Readonly<Record<string, string>> = {
  version: 'version',
  status: 'status',
  runPodSandbox: 'run_podsandbox',
  stopPodSandbox: 'stop_podsandbox',
  removePodSandbox: 'remove_podsandbox',
  podSandboxStatus: 'podsandbox_status',
  listPodSandbox: 'list_podsandbox',
  createContainer: 'create_container',
  startContainer: 'start_container',
  stopContainer: 'stop_container',
  removeContainer: 'remove_container',
  listContainers: 'list_containers',
  containerStatus: 'container_status',
  updateContainerResources: 'update_container',
  execSync: 'exec_sync',
  exec: 'exec',
  attach: 'attach',
  portForward: 'port_forward',
  containerStats: 'container_stats',
  listContainerStats: 'list_container_stats',
  listPodSandboxStats: 'list_podsandbox_stats',
  updateRuntimeConfig: 'update_runtime_config',
  reopenContainerLog: 'reopen_container_log',
  pullImage: 'pull_image',
  listImages: 'list_images',
  imageStatus: 'image_status',
  removeImage: 'remove_image',
  imageFsInfo: 'image_fs_info',
};

type Call = (request: unknown, options?: unknown) => unknown;

/** The connection with its calls counted and timed (`kubelet_runtime_operations_total`, …). */
export function meteredCri(cri: CriConnection, clock: Clock, registry: MetricRegistry): CriConnection {
  const total = registry.register(new Counter('kubelet_runtime_operations_total', 'Cumulative number of runtime operations by operation type.'));
  const errors = registry.register(new Counter('kubelet_runtime_operations_errors_total', 'Cumulative number of runtime operation errors by operation type.'));
  const seconds = registry.register(
    new Histogram('kubelet_runtime_operations_duration_seconds', 'Duration in seconds of runtime operations. Broken down by operation type.', BUCKETS),
  );
  const metered = <T extends object>(service: T): T => {
    const out: Record<string, unknown> = {};
    for (const [name, call] of Object.entries(service) as [string, Call][]) {
      const operation = OPERATIONS[name];
      out[name] = operation === undefined ? call : (request: unknown, options?: unknown) => counted(operation, () => call(request, options));
    }
    return out as T;
  };
  const counted = (operation: string, run: () => unknown): unknown => {
    const labels = { operation_type: operation };
    const begin = clock.monotonic();
    total.inc(labels);
    const answer = run();
    if (!(answer instanceof Promise)) return answer;
    answer.catch(() => errors.inc(labels)).finally(() => seconds.observe((clock.monotonic() - begin) / 1000, labels));
    return answer;
  };
  return { runtime: metered(cri.runtime), image: metered(cri.image), close: () => cri.close() };
}

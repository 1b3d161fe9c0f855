import { parseSamples, type Sample, sum } from '../api/prometheus';
import { callId, type PartKind, partId } from './parts';

/** Counters of one moment: what has gone over each edge since the components started. */
export interface Reading {
  /** Milliseconds, monotonic. */
  readonly at: number;
  /** Requests, in the direction of the edge. */
  readonly calls: ReadonlyMap<string, number>;
  /** Watch events, against it. */
  readonly events: ReadonlyMap<string, number>;
  readonly figures: ReadonlyMap<string, readonly Figure[]>;
  /** Requests to the API server by program, for those that are no component. */
  readonly clients: ReadonlyMap<string, number>;
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'count' | 'total' | 'bytes' | 'seconds';
}

/** Prometheus texts as they were fetched; undefined where a component did not answer or the user may not ask. */
export interface Texts {
  readonly apiserver?: string | undefined;
  /** By node. */
  readonly kubelets: ReadonlyMap<string, string>;
  /** By name. */
  readonly components: ReadonlyMap<string, string>;
}

/** The part a program is, by the first word of its user agent. */
const PROGRAMS: Readonly<Record<string, PartKind>> = {
  'kube-scheduler': 'scheduler',
  'kube-controller-manager': 'controller-manager',
  'cloud-controller-manager': 'cloud-controller-manager',
  'coxswain-cloud-controller-manager': 'cloud-controller-manager',
  kubelet: 'kubelet',
  'kube-proxy': 'kube-proxy',
  'coxswain-dns': 'dns',
  coredns: 'dns',
};
export const OWN_PROGRAM = 'coxswain-dashboard';

const WANTED = new Set([
  'coxswain_apiserver_client_requests_total',
  'coxswain_apiserver_client_watch_events_total',
  'apiserver_request_total',
  'apiserver_current_inflight_requests',
  'apiserver_longrunning_requests',
  'apiserver_storage_objects',
  'etcd_requests_total',
  'etcd_request_duration_seconds_sum',
  'scheduler_schedule_attempts_total',
  'scheduler_pending_pods',
  'workqueue_depth',
  'workqueue_adds_total',
  'kubeproxy_sync_proxy_rules_duration_seconds_count',
  'coredns_dns_requests_total',
  'coredns_cache_hits_total',
  'kubelet_runtime_operations_total',
  'kubelet_runtime_operations_errors_total',
  'kubelet_running_pods',
  'kubelet_running_containers',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
]);

/** Operations that change what runs, and those that make the runtime call CNI. */
const CONTAINER_OPERATIONS = new Set(['create_container', 'start_container', 'stop_container', 'remove_container', 'exec', 'exec_sync', 'attach']);
const SANDBOX_OPERATIONS = new Set(['run_podsandbox', 'stop_podsandbox']);

export function readingOf(at: number, texts: Texts, showOwn: boolean): Reading {
  const calls = new Map<string, number>();
  const events = new Map<string, number>();
  const clients = new Map<string, number>();
  const figures = new Map<string, Figure[]>();
  const nodes = [...texts.kubelets.keys()];
  const add = (map: Map<string, number>, key: string, value: number) => map.set(key, (map.get(key) ?? 0) + value);

  const api = parseSamples(texts.apiserver ?? '', WANTED);
  for (const { name, labels, value } of api) {
    const requests = name === 'coxswain_apiserver_client_requests_total';
    if (!requests && name !== 'coxswain_apiserver_client_watch_events_total') continue;
    const { client = '', node = '' } = labels;
    const kind = PROGRAMS[client];
    // kube-proxies share one user: with several nodes their traffic is drawn on the first.
    const home = kind === 'kubelet' ? node : kind === 'kube-proxy' ? nodes[0] : undefined;
    if (!kind && client === OWN_PROGRAM && !showOwn) continue;
    if (!kind && requests) add(clients, client, value);
    add(requests ? calls : events, callId(kind ? partId(kind, home) : 'clients', 'apiserver'), value);
  }
  calls.set(callId('apiserver', 'store'), sum(api, 'etcd_requests_total'));
  figures.set('apiserver', [
    total('Requests', sum(api, 'apiserver_request_total')),
    count('In flight', sum(api, 'apiserver_current_inflight_requests')),
    count('Watches', sum(api, 'apiserver_longrunning_requests')),
    ...processFigures(api),
  ]);
  figures.set('store', [
    count('Objects', sum(api, 'apiserver_storage_objects')),
    total('Requests', sum(api, 'etcd_requests_total')),
    total(
      'Writes',
      sum(api, 'etcd_requests_total', (l) => l['operation'] === 'update'),
    ),
    { name: 'Time spent', value: sum(api, 'etcd_request_duration_seconds_sum'), unit: 'seconds' },
  ]);

  for (const [node, text] of texts.kubelets) {
    const samples = parseSamples(text, WANTED);
    const operations = (which?: ReadonlySet<string>) =>
      sum(samples, 'kubelet_runtime_operations_total', (l) => which === undefined || which.has(l['operation_type'] ?? ''));
    calls.set(callId(partId('kubelet', node), partId('cri', node)), operations());
    calls.set(callId(partId('cri', node), partId('pods', node)), operations(CONTAINER_OPERATIONS));
    calls.set(callId(partId('cri', node), partId('cni', node)), operations(SANDBOX_OPERATIONS));
    const pods = count('Pods running', sum(samples, 'kubelet_running_pods'));
    const containers = count(
      'Containers running',
      sum(samples, 'kubelet_running_containers', (l) => l['container_state'] === 'running'),
    );
    figures.set(partId('kubelet', node), [pods, containers, ...processFigures(samples)]);
    figures.set(partId('pods', node), [pods, containers]);
    figures.set(partId('cri', node), [total('Calls', operations()), total('Failed calls', sum(samples, 'kubelet_runtime_operations_errors_total'))]);
    figures.set(partId('cni', node), [total('Sandboxes made or stopped', operations(SANDBOX_OPERATIONS))]);
  }

  const component = (name: string) => parseSamples(texts.components.get(name) ?? '', WANTED);
  const scheduler = component('kube-scheduler');
  figures.set('scheduler', [
    total('Attempts', sum(scheduler, 'scheduler_schedule_attempts_total')),
    count('Pods waiting', sum(scheduler, 'scheduler_pending_pods')),
    ...processFigures(scheduler),
  ]);
  const controllers = component('kube-controller-manager');
  figures.set('controller-manager', [
    count('Keys waiting', sum(controllers, 'workqueue_depth')),
    total('Keys queued', sum(controllers, 'workqueue_adds_total')),
    ...processFigures(controllers),
  ]);
  const dns = component('coredns');
  figures.set('dns', [
    total('Queries', sum(dns, 'coredns_dns_requests_total')),
    total('From the cache', sum(dns, 'coredns_cache_hits_total')),
    ...processFigures(dns),
  ]);
  if (nodes[0] !== undefined) {
    const proxy = component('kube-proxy');
    const syncs = sum(proxy, 'kubeproxy_sync_proxy_rules_duration_seconds_count');
    calls.set(callId(partId('kube-proxy', nodes[0]), partId('rules', nodes[0])), syncs);
    calls.set(callId(partId('pods', nodes[0]), 'dns'), sum(dns, 'coredns_dns_requests_total'));
    figures.set(partId('kube-proxy', nodes[0]), [total('Writes of rules', syncs), ...processFigures(proxy)]);
    figures.set(partId('rules', nodes[0]), [total('Writes', syncs)]);
  }
  figures.set(
    'clients',
    [...clients]
      .sort(([, a], [, b]) => b - a)
      .slice(0, 12)
      .map(([name, value]) => total(name, value)),
  );
  return { at, calls, events, figures, clients };
}

const count = (name: string, value: number): Figure => ({ name, value, unit: 'count' });
const total = (name: string, value: number): Figure => ({ name, value, unit: 'total' });

function processFigures(samples: readonly Sample[]): Figure[] {
  const has = (name: string) => samples.some((s) => s.name === name);
  return [
    ...(has('process_resident_memory_bytes')
      ? [{ name: 'Memory of the process', value: sum(samples, 'process_resident_memory_bytes'), unit: 'bytes' } as const]
      : []),
    ...(has('process_cpu_seconds_total')
      ? [{ name: 'CPU time of the process', value: sum(samples, 'process_cpu_seconds_total'), unit: 'seconds' } as const]
      : []),
  ];
}

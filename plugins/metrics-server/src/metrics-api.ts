import type { KubeObject } from '@coxswain/api';
import { addQuantities, formatQuantity } from '@coxswain/api';
import { ApiError, formatDuration, formatTime, isNotFound } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import { type ApiListRequest, type ApiServerDefinition, type Clock, defineApiKind, defineApiServer } from '@coxswain/sdk';
import type { Usage } from './metrics-point.js';
import { nodeMetricsMessage, podMetricsMessage } from './metrics-messages.js';
import type { UsageStore } from './usage-store.js';

export const GROUP = 'metrics.k8s.io';
export const VERSION = 'v1beta1';
const API_VERSION = `${GROUP}/${VERSION}`;

type ResourceUsage = { readonly cpu: string; readonly memory: string };

export interface NodeMetrics extends KubeObject {
  readonly timestamp: string;
  readonly window: string;
  readonly usage: ResourceUsage;
}

export interface PodMetrics extends KubeObject {
  readonly timestamp: string;
  readonly window: string;
  readonly containers: readonly { readonly name: string; readonly usage: ResourceUsage }[];
}

const quantity = { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true };
const usageSchema = { type: 'object', description: 'Used, by resource: cpu and memory.', additionalProperties: quantity };
const times = {
  timestamp: { type: 'string', format: 'date-time', description: 'End of the window the usage was measured over.' },
  window: { type: 'string', description: 'Length of the window.' },
};

export interface MetricsApiOptions {
  readonly store: UsageStore;
  /** Who exists and how it is labelled is asked of the primary. */
  readonly client: KubeClient;
  readonly clock: Clock;
}

/** metrics.k8s.io/v1beta1: what nodes and pods use. */
export function metricsApi({ store, client, clock }: MetricsApiOptions): ApiServerDefinition {
  const metadata = new MetadataReader(client);
  const nodeMetrics = (of: KubeObject): NodeMetrics | undefined => {
    const usage = store.node(of.metadata.name ?? '');
    return usage && { ...head('NodeMetrics', of, clock.now()), ...when(usage), usage: amounts(usage) };
  };
  const podMetrics = (of: KubeObject): PodMetrics | undefined => {
    const usages = store.pod(of.metadata.namespace ?? '', of.metadata.name ?? '');
    if (!usages) return undefined;
    const oldest = [...usages.values()].reduce((a, b) => (b.timestamp < a.timestamp ? b : a));
    const containers = [...usages].map(([name, usage]) => ({ name, usage: amounts(usage) }));
    return { ...head('PodMetrics', of, clock.now()), ...when(oldest), containers };
  };
  const columnsOf = <T extends KubeObject & { readonly window: string }>(cpu: (object: T) => string, memory: (object: T) => string) =>
    [
      { name: 'cpu', type: 'string', format: 'quantity', cell: cpu },
      { name: 'memory', type: 'string', format: 'quantity', cell: memory },
      { name: 'Window', type: 'string', format: 'duration', cell: (object: T) => object.window },
    ] as const;

  return defineApiServer({
    name: 'metrics-server',
    group: GROUP,
    version: VERSION,
    groupPriorityMinimum: 100,
    versionPriority: 100,
    kinds: [
      defineApiKind<NodeMetrics>({
        kind: 'NodeMetrics',
        plural: 'nodes',
        scope: 'Cluster',
        schema: { type: 'object', properties: { ...times, usage: usageSchema } },
        protobuf: nodeMetricsMessage,
        columns: columnsOf<NodeMetrics>(
          ({ usage }) => usage.cpu,
          ({ usage }) => usage.memory,
        ),
        handlers: {
          async get({ name, signal }) {
            const node = await metadata.get('/api/v1/nodes', name, signal);
            return node && nodeMetrics(node);
          },
          async list(request) {
            const nodes = await metadata.list('/api/v1/nodes', request);
            return { items: nodes.flatMap((node) => nodeMetrics(node) ?? []) };
          },
        },
      }),
      defineApiKind<PodMetrics>({
        kind: 'PodMetrics',
        plural: 'pods',
        scope: 'Namespaced',
        schema: {
          type: 'object',
          properties: {
            ...times,
            containers: {
              type: 'array',
              items: { type: 'object', required: ['name', 'usage'], properties: { name: { type: 'string' }, usage: usageSchema } },
            },
          },
        },
        protobuf: podMetricsMessage,
        columns: columnsOf<PodMetrics>(
          ({ containers }) => containers.map(({ usage }) => usage.cpu).reduce(addQuantities, '0'),
          ({ containers }) => containers.map(({ usage }) => usage.memory).reduce(addQuantities, '0'),
        ),
        handlers: {
          async get({ namespace, name, signal }) {
            const pod = await metadata.get(`/api/v1/namespaces/${namespace}/pods`, name, signal);
            return pod && podMetrics(pod);
          },
          async list(request) {
            const path = request.namespace === '' ? '/api/v1/pods' : `/api/v1/namespaces/${request.namespace}/pods`;
            const pods = await metadata.list(path, request, 'status.phase=Running');
            return { items: pods.flatMap((pod) => podMetrics(pod) ?? []) };
          },
        },
      }),
    ],
  });
}

/** Reads who there is from the primary: their metadata only, selected there. */
class MetadataReader {
  constructor(readonly client: KubeClient) {}

  async get(path: string, name: string, signal: AbortSignal): Promise<KubeObject | undefined> {
    try {
      return await this.#read<KubeObject>(`${path}/${encodeURIComponent(name)}`, 'resourceVersion=0', 'PartialObjectMetadata', signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw unavailable(error);
    }
  }

  async list(path: string, { labelSelector, signal }: ApiListRequest, fieldSelector = ''): Promise<readonly KubeObject[]> {
    const query = new URLSearchParams({ resourceVersion: '0' });
    if (labelSelector !== '') query.set('labelSelector', labelSelector);
    if (fieldSelector !== '') query.set('fieldSelector', fieldSelector);
    try {
      return (await this.#read<{ items: KubeObject[] }>(path, query.toString(), 'PartialObjectMetadataList', signal)).items;
    } catch (error) {
      throw unavailable(error);
    }
  }

  #read<T>(path: string, query: string, as: string, signal: AbortSignal): Promise<T> {
    return this.client.rest.json<T>({ method: 'GET', path, query, headers: { accept: `application/json;as=${as};v=v1;g=meta.k8s.io` }, signal });
  }
}

const unavailable = (error: unknown): ApiError =>
  error instanceof ApiError ? error : ApiError.serviceUnavailable(`the primary cannot be asked: ${(error as Error).message}`);

function head(kind: string, { metadata: { name, namespace, labels } }: KubeObject, now: number) {
  const metadata = { name: name ?? '', ...(namespace ? { namespace } : {}), creationTimestamp: formatTime(now), ...(labels ? { labels } : {}) };
  return { kind, apiVersion: API_VERSION, metadata };
}

const when = ({ timestamp, windowMs }: Usage) => ({ timestamp: formatTime(timestamp), window: formatDuration(windowMs) });

const amounts = ({ cpuCores, memoryBytes }: Usage): ResourceUsage => ({ cpu: cpuText(cpuCores), memory: memoryText(memoryBytes) });

const cpuText = (cores: number): string => formatQuantity({ nanos: BigInt(Math.round(cores * 1e9)), format: 'DecimalSI' });

const memoryText = (bytes: number): string => formatQuantity({ nanos: BigInt(Math.round(bytes)) * 1_000_000_000n, format: 'BinarySI' });

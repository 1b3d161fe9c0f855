import { type CrossVersionObjectReference, type KubeObject, quantityMilliValue } from '@coxswain/api';
import { labelSelectorFromObject, parseDuration, parseTime } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import { resourceId, type ServedResource } from '../runtime/discovery.js';
import type { PodMetric, PodMetrics } from './hpa-replicas.js';

type Selector = Parameters<typeof labelSelectorFromObject>[0];

interface PodUsage extends KubeObject {
  readonly timestamp?: string;
  readonly window?: string;
  readonly containers?: readonly { readonly name: string; readonly usage: Readonly<Record<string, string>> }[];
}
interface MetricValue {
  readonly describedObject?: { readonly name?: string };
  readonly timestamp?: string;
  /** Of v1beta2 of custom metrics, and of v1beta1. */
  readonly windowSeconds?: number;
  readonly window?: number;
  readonly value: string;
}
interface Values {
  readonly items?: readonly MetricValue[];
}

type Query = Readonly<Record<string, string>>;

const DEFAULT_WINDOW_MS = 60_000;
const CUSTOM = 'custom.metrics.k8s.io';
const CUSTOM_VERSIONS = ['v1beta2', 'v1beta1'];

/** The three APIs that metrics are asked of: resource, custom and external metrics. Whoever serves them registers with the aggregator. */
export class HpaMetrics {
  #customVersion: string | undefined;

  constructor(private readonly client: KubeClient) {}

  /** What pods use of a resource, of one container or all. Rejects when nothing is measured. */
  async resource(resource: string, namespace: string, selector: string, container: string | undefined, signal: AbortSignal): Promise<PodMetrics> {
    const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`;
    const { items = [] } = await this.#get<{ items?: readonly PodUsage[] }>(path, { labelSelector: selector }, 'resource metrics API', signal);
    if (items.length === 0) throw new Error('no metrics returned from resource metrics API');
    const metrics = new Map<string, PodMetric>();
    for (const { metadata, timestamp, window, containers = [] } of items) {
      const counted = containers.filter(({ name }) => container === undefined || name === container);
      // A pod of which a part is not measured is not measured.
      if (counted.length === 0 || counted.some(({ usage }) => usage[resource] === undefined)) continue;
      const value = counted.reduce((sum, { usage }) => sum + quantityMilliValue(usage[resource] ?? '0'), 0);
      metrics.set(metadata.name ?? '', { value, at: parseTime(timestamp ?? '') ?? 0, windowMs: parseDuration(window ?? '') ?? 0 });
    }
    return metrics;
  }

  /** A metric of each pod. */
  async pods(metric: string, namespace: string, selector: string, metricSelector: Selector, signal: AbortSignal): Promise<PodMetrics> {
    const query = { labelSelector: selector, ...labels('metricLabelSelector', metricSelector) };
    const { items = [] } = await this.#custom<Values>(`namespaces/${namespace}/pods/*/${encodeURIComponent(metric)}`, query, signal);
    if (items.length === 0) throw new Error('no metrics returned from custom metrics API');
    return new Map(
      items.map(({ describedObject, timestamp, windowSeconds, window, value }) => {
        const seconds = windowSeconds ?? window;
        const windowMs = seconds === undefined ? DEFAULT_WINDOW_MS : seconds * 1000;
        return [describedObject?.name ?? '', { value: quantityMilliValue(value), at: parseTime(timestamp ?? '') ?? 0, windowMs }];
      }),
    );
  }

  /** A metric of one object, in thousandths. `kinds`: the resource of its kind. */
  async object(
    metric: string,
    namespace: string,
    { kind, name }: CrossVersionObjectReference,
    resource: ServedResource | undefined,
    metricSelector: Selector,
    signal: AbortSignal,
  ): Promise<number> {
    if (!resource) throw new Error(`unable to map kind ${kind} to resource`);
    const namespaceItself = resourceId(resource) === 'namespaces';
    const at = namespaceItself ? `namespaces/${namespace}/metrics` : `namespaces/${namespace}/${resourceId(resource)}/${name}`;
    const { items = [] } = await this.#custom<Values>(`${at}/${encodeURIComponent(metric)}`, labels('metricLabelSelector', metricSelector), signal);
    const [first] = items;
    if (!first) throw new Error('no metrics returned from custom metrics API');
    return quantityMilliValue(first.value);
  }

  /** The sum of a metric that belongs to no object of the cluster, in thousandths. */
  async external(metric: string, namespace: string, metricSelector: Selector, signal: AbortSignal): Promise<number> {
    const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${encodeURIComponent(metric)}`;
    const { items = [] } = await this.#get<Values>(path, labels('labelSelector', metricSelector), 'external metrics API', signal);
    if (items.length === 0) throw new Error('no metrics returned from external metrics API');
    return items.reduce((sum, { value }) => sum + quantityMilliValue(value), 0);
  }

  /** In the newest version that is served. */
  async #custom<T>(path: string, query: Query, signal: AbortSignal): Promise<T> {
    const known = this.#customVersion;
    if (known !== undefined) {
      try {
        return await this.#get<T>(`/apis/${CUSTOM}/${known}/${path}`, query, 'custom metrics API', signal);
      } catch (error) {
        // Whoever serves it may have been replaced by another.
        this.#customVersion = undefined;
        throw error;
      }
    }
    const group = await this.#get<{ versions?: readonly { version: string }[] }>(`/apis/${CUSTOM}`, {}, 'custom metrics API', signal);
    const version = CUSTOM_VERSIONS.find((v) => group.versions?.some((served) => served.version === v));
    if (version === undefined) throw new Error(`unable to fetch metrics from custom metrics API: none of ${CUSTOM_VERSIONS.join(', ')} is served`);
    this.#customVersion = version;
    return this.#get<T>(`/apis/${CUSTOM}/${version}/${path}`, query, 'custom metrics API', signal);
  }

  async #get<T>(path: string, query: Query, api: string, signal: AbortSignal): Promise<T> {
    try {
      return await this.client.get<T>(path, { query: new URLSearchParams(query).toString(), signal });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new Error(`unable to fetch metrics from ${api}: ${(error as Error).message}`, { cause: error });
    }
  }
}

const labels = (parameter: string, selector: Selector): Query => (selector ? { [parameter]: labelSelectorFromObject(selector).toString() } : {});

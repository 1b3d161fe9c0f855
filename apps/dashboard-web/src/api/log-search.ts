import { k8s, lines, request } from './request';

/** One line as the logging add-on gives it. */
export interface LogEntry {
  readonly time: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly stream: 'stdout' | 'stderr';
  readonly node?: string;
  readonly text: string;
}

export interface LogQuery {
  readonly namespace?: string | undefined;
  readonly selector?: string;
  readonly pod?: string;
  readonly container?: string;
  readonly since?: string;
  readonly grep?: string;
  readonly limit?: number;
  readonly follow?: boolean;
}

const API = '/apis/logs.coxswain.dev/v1alpha1';

/** Search the logs that the logging add-ons of all nodes have collected. Rejects with a 404 or 503 when there is none. */
export async function* searchLogs(query: LogQuery, signal: AbortSignal): AsyncGenerator<LogEntry[]> {
  const { namespace, selector, limit, follow, ...rest } = query;
  const params = new URLSearchParams();
  if (selector) params.set('labelSelector', selector);
  if (limit) params.set('limit', String(limit));
  if (follow) params.set('follow', 'true');
  for (const [key, value] of Object.entries(rest)) if (value) params.set(key, String(value));
  const scope = namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const response = await request(`${k8s(`${API}${scope}/podlogs/search`)}?${params}`, { accept: 'application/x-ndjson, application/json', signal });
  for await (const batch of lines(response)) yield batch.filter((line) => line !== '').map((line) => JSON.parse(line) as LogEntry);
}

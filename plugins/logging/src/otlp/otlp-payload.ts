import type { LogEntry } from '../log-entry.js';

/** Unix time in nanoseconds, as text: it does not fit a number. */
export function unixNanos(time: string): string {
  const match = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time);
  const fraction = (match?.[2] ?? '').slice(0, 9).padEnd(9, '0');
  const seconds = Math.floor(Date.parse(match ? `${match[1]}${match[3]}` : time) / 1000);
  return `${seconds}${fraction}`;
}

const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });

/** An `ExportLogsServiceRequest` in OTLP's JSON form: one resource a container, named by OpenTelemetry's conventions. */
export function otlpPayload(entries: readonly LogEntry[], { nodeName, clusterName }: { readonly nodeName: string; readonly clusterName: string }): object {
  const byContainer = new Map<LogEntry['source'], LogEntry[]>();
  const sources = new Map<string, LogEntry['source']>();
  for (const entry of entries) {
    const { source } = entry;
    const key = `${source.podUid}/${source.container}`;
    const first = sources.get(key) ?? source;
    sources.set(key, first);
    byContainer.set(first, [...(byContainer.get(first) ?? []), entry]);
  }
  return {
    resourceLogs: [...byContainer].map(([source, list]) => ({
      resource: {
        attributes: [
          attribute('k8s.cluster.name', clusterName),
          attribute('k8s.node.name', nodeName),
          attribute('k8s.namespace.name', source.namespace),
          attribute('k8s.pod.name', source.pod),
          attribute('k8s.pod.uid', source.podUid),
          attribute('k8s.container.name', source.container),
          ...Object.entries(source.labels).map(([key, value]) => attribute(`k8s.pod.label.${key}`, value)),
        ],
      },
      scopeLogs: [
        {
          scope: { name: '@coxswain/logging' },
          logRecords: list.map(({ time, stream, text }) => ({
            timeUnixNano: unixNanos(time),
            body: { stringValue: text },
            attributes: [attribute('log.iostream', stream)],
          })),
        },
      ],
    })),
  };
}

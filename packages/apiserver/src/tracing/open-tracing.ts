import type { ApiServerOptions } from '../api-server-options.js';
import { RequestTracer } from './request-tracer.js';
import { SpanExporter } from './span-exporter.js';

export interface Tracing {
  readonly tracer: RequestTracer;
  readonly exporter: SpanExporter;
}

/** `instance`: which of the cluster's API servers this is. Undefined: nothing is traced. */
export function openTracing({ tracing, clock, random, logger }: ApiServerOptions, instance: string): Tracing | undefined {
  if (!tracing) return undefined;
  const { address, samplingRatePerMillion } = tracing;
  const exporter = new SpanExporter({ address, resource: { 'service.name': 'apiserver', 'service.instance.id': instance }, clock, logger });
  return { exporter, tracer: new RequestTracer({ samplingRatePerMillion, clock, random, add: (span) => exporter.add(span) }) };
}

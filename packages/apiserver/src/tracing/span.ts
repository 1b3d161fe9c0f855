import { ProtobufWriter } from '../openapi/protobuf-writer.js';

/** Which trace something belongs to, and the span it comes from. */
export interface TraceContext {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly sampled: boolean;
}

/** One request that was answered. Times in nanoseconds since the epoch. */
export interface Span {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId?: Uint8Array;
  /** A trace of somebody who may not be believed. */
  readonly link?: TraceContext;
  readonly name: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly failed: boolean;
}

const KIND_SERVER = 2;
const STATUS_ERROR = 2;
const TRACE_PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The `traceparent` header of W3C Trace Context; undefined when it is none. */
export function readTraceParent(header: string | undefined): TraceContext | undefined {
  const [, trace = '', span = '', flags = ''] = TRACE_PARENT.exec(header ?? '') ?? [];
  if (trace === '' || /^0+$/.test(trace) || /^0+$/.test(span)) return undefined;
  return { traceId: Buffer.from(trace, 'hex'), spanId: Buffer.from(span, 'hex'), sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** OpenTelemetry's ExportTraceServiceRequest with spans of one resource. */
export function encodeSpans(resource: Readonly<Record<string, string>>, scope: string, spans: readonly Span[]): Buffer {
  const writer = new ProtobufWriter();
  const attributes = (field: number, all: Readonly<Record<string, string | number>>) => {
    for (const [key, value] of Object.entries(all))
      writer.message(field, () => {
        writer.string(1, key);
        writer.message(2, () => (typeof value === 'string' ? writer.oneofString(1, value) : writer.integer(3, value)));
      });
  };
  const span = (each: Span) => {
    writer.bytes(1, each.traceId);
    writer.bytes(2, each.spanId);
    writer.bytes(4, each.parentSpanId);
    writer.string(5, each.name);
    writer.integer(6, KIND_SERVER);
    writer.fixed64(7, each.start);
    writer.fixed64(8, each.end);
    attributes(9, each.attributes);
    const { link } = each;
    if (link)
      writer.message(13, () => {
        writer.bytes(1, link.traceId);
        writer.bytes(2, link.spanId);
      });
    if (each.failed) writer.message(15, () => writer.integer(3, STATUS_ERROR));
  };
  writer.message(1, () => {
    writer.message(1, () => attributes(1, resource));
    writer.message(2, () => {
      writer.message(1, () => writer.string(1, scope));
      for (const each of spans) writer.message(2, () => span(each));
    });
  });
  return writer.finish();
}

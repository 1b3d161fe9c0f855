import { create } from '@bufbuild/protobuf';
import { type Any, AnySchema, type Timestamp } from '@bufbuild/protobuf/wkt';

const SPEC = 'types.containerd.io/opencontainers/runtime-spec/1';

/** Type URLs of the runtime-spec documents containerd passes to its shims, as JSON. */
export const SpecType = { spec: `${SPEC}/Spec`, process: `${SPEC}/Process`, resources: `${SPEC}/LinuxResources` } as const;

/** A JSON document as containerd wraps it. */
export function jsonAny(typeUrl: string, value: unknown): Any {
  return create(AnySchema, { typeUrl, value: Buffer.from(JSON.stringify(value)) });
}

export function anyJson<T>(any: Any | undefined): T | undefined {
  return any === undefined ? undefined : (JSON.parse(Buffer.from(any.value).toString('utf8')) as T);
}

/** Nanoseconds since the epoch, CRI's unit; 0 when absent. */
export function timestampNanos(timestamp: Timestamp | undefined): bigint {
  return timestamp === undefined ? 0n : timestamp.seconds * 1_000_000_000n + BigInt(timestamp.nanos);
}

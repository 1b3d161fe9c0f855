import type { JsonObject, StructSchema } from '@coxswain/api';
import { decodeObject, encodeEnvelope, encodeMessage, lookupSchema, schemaNames } from '@coxswain/api';
import { ApiError, formatGroupVersion } from '@coxswain/apimachinery';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
/** Kinds that are sent under the version of whatever they are sent to. */
const SHARED_KINDS = new Set(['Status', 'DeleteOptions', 'CreateOptions', 'UpdateOptions', 'PatchOptions', 'ListOptions', 'GetOptions']);

let byKind: Map<string, string> | undefined;

/** The name of a built-in kind's schema. */
export function schemaOf(apiVersion: string, kind: string): string | undefined {
  if (SHARED_KINDS.has(kind)) return `${META}${kind}`;
  if (!byKind) {
    byKind = new Map();
    for (const name of schemaNames()) {
      const gvk = lookupSchema(name).groupVersionKind;
      if (gvk) byKind.set(`${formatGroupVersion(gvk)}/${gvk.kind}`, name);
    }
  }
  return byKind.get(`${apiVersion}/${kind}`);
}

/** A kind of a custom API server and its message. */
export interface CustomMessage {
  readonly apiVersion: string;
  readonly kind: string;
  readonly message: StructSchema;
}

/** The JSON form of a body in upstream's envelope. `custom`: of this kind too. Throws 400. */
export function decodeProtobuf(body: Buffer, custom?: CustomMessage): JsonObject {
  try {
    return decodeObject(body, (apiVersion, kind) =>
      custom && custom.apiVersion === apiVersion && custom.kind === kind ? custom.message : schemaOf(apiVersion, kind),
    );
  } catch (error) {
    throw ApiError.badRequest(`the object provided is unrecognized (must be of type Object): ${(error as Error).message}`);
  }
}

/** An object of a built-in kind with its envelope; undefined for other kinds. */
export function encodeKind(value: unknown): Buffer | undefined {
  const { apiVersion, kind } = value as { apiVersion?: unknown; kind?: unknown };
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined;
  const schema = schemaOf(apiVersion, kind);
  if (schema === undefined) return undefined;
  return Buffer.from(encodeEnvelope({ apiVersion, kind, raw: encodeMessage(value as JsonObject, schema) }));
}

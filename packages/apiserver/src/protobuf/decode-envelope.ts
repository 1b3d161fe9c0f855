import type { JsonObject } from '@coxswain/api';
import { lookupSchema, schemaNames } from '@coxswain/api';
import { ApiError, formatGroupVersion } from '@coxswain/apimachinery';
import { decodeMessage } from './decode-message.js';
import { WireReader } from './wire-reader.js';

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const MAGIC = Buffer.from('k8s\0');
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
/** Options are sent under the version of whatever they are sent to. */
const SHARED_KINDS = new Set(['DeleteOptions', 'CreateOptions', 'UpdateOptions', 'PatchOptions', 'ListOptions', 'GetOptions']);

let byKind: Map<string, string> | undefined;

function schemaOf(apiVersion: string, kind: string): string | undefined {
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

/** The object in upstream's envelope (magic, then `runtime.Unknown`), as JSON. Throws 400. */
export function decodeProtobuf(body: Buffer): JsonObject {
  try {
    if (!body.subarray(0, MAGIC.length).equals(MAGIC))
      throw new Error('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
    const envelope = new WireReader(body.subarray(MAGIC.length));
    let apiVersion = '';
    let kind = '';
    let raw = Buffer.alloc(0);
    while (!envelope.done) {
      const { field, type } = envelope.tag();
      if (field === 1) {
        const meta = new WireReader(envelope.chunk());
        while (!meta.done) {
          const tag = meta.tag();
          if (tag.field === 1) apiVersion = meta.chunk().toString();
          else if (tag.field === 2) kind = meta.chunk().toString();
          else meta.skip(tag.type);
        }
      } else if (field === 2) raw = Buffer.from(envelope.chunk());
      else envelope.skip(type);
    }
    const schema = schemaOf(apiVersion, kind);
    if (!schema) throw new Error(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
    return { apiVersion, kind, ...decodeMessage(raw, lookupSchema(schema), lookupSchema) };
  } catch (error) {
    throw ApiError.badRequest(`the object provided is unrecognized (must be of type Object): ${(error as Error).message}`);
  }
}

import type { StoredObject } from '../storage/stored-object.js';
import { ListBody } from '../request/list-body.js';
import type { ObjectCodec } from './object-codec.js';

export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** A list, made of the cached bytes of its items. */
export function encodeList(codec: ObjectCodec, objects: readonly StoredObject[], metadata: ListMeta): ListBody {
  const { listKind } = codec.definition;
  const head = Buffer.from(
    `{"kind":${JSON.stringify(listKind)},"apiVersion":${JSON.stringify(codec.apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`,
  );
  return new ListBody(
    head,
    objects.map((object) => codec.bytes(object)),
  );
}

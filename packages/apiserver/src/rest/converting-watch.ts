import { apiErrorOf, type Status } from '@coxswain/apimachinery';
import type { WatchEvent } from '@coxswain/client';
import type { VersionConverter } from '../registry/version-converter.js';
import type { StreamSink } from '../request/api-request.js';
import type { EventType } from '../storage/resource-cache.js';
import type { StoredObject } from '../storage/stored-object.js';
import { objectFraming } from '../storage/watch-groups.js';
import type { Frame, WatchEncoder } from '../storage/watch-groups.js';

/** A frame that is made once its object has been converted. */
type Pending = { readonly stored?: StoredObject; readonly make: () => Frame };

const MAX_PENDING = 10_000;

/** An encoder whose frames are made later, by `convertingSink`. */
export function pendingEncoder(encoder: WatchEncoder): WatchEncoder {
  const pending = (frame: Pending): Frame => frame as unknown as WatchEvent;
  return {
    id: `pending:${encoder.id}`,
    encode: (type: EventType, stored: StoredObject) => pending({ stored, make: () => encoder.encode(type, stored) }),
    bookmark: (revision, annotations) => pending({ make: () => encoder.bookmark(revision, annotations) }),
    error: (status) => pending({ make: () => encoder.error(status) }),
  };
}

/** Takes pending frames, has their objects converted batch by batch, and writes them on in order. */
export function convertingSink(sink: StreamSink, encoder: WatchEncoder, converter: VersionConverter): StreamSink {
  let queue: Pending[] = [];
  let working = false;
  let ended = false;
  const work = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      const stored = batch.flatMap((frame) => frame.stored ?? []);
      const ready = converter.prepare(stored);
      if (ready) await ready;
      if (!sink.write(sink.framing.frame(batch.map((frame) => frame.make())))) return;
    }
    working = false;
    if (ended) sink.end();
  };
  const failed = (error: unknown): void => {
    const status: Status = apiErrorOf(error)?.status ?? {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: String(error),
      code: 500,
    };
    sink.write(sink.framing.frame([encoder.error(status)]));
    sink.end();
  };
  return {
    framing: objectFraming,
    write(payload) {
      queue.push(...(payload as unknown as readonly Pending[]));
      if (queue.length > MAX_PENDING) {
        sink.end();
        return false;
      }
      if (!working) {
        working = true;
        work().catch(failed);
      }
      return true;
    },
    end() {
      ended = true;
      if (!working) sink.end();
    },
    onClose: (listener) => sink.onClose(listener),
  };
}

import { CompactedError, type WatchBatch, type WatchEvent } from '@coxswain/sdk';
import { type Watch, WatchCreateRequest_FilterType as Filter, type WatchCreateRequest } from './generated/etcdserverpb/rpc_pb.js';
import { Event_EventType as EventType } from './generated/mvccpb/kv_pb.js';
import type { Handlers } from './grpc-server.js';
import { toKeyRange } from './key-codec.js';
import { toNumber } from './numbers.js';
import type { ServiceContext } from './service-context.js';
import { toEtcdStatus } from './to-etcd-status.js';
import { toEtcdKeyValue } from './translate.js';

/** A response larger than this is cut when the client can put the pieces together. */
const FRAGMENT_BYTES = 1536 * 1024;

/** How etcd says that a response belongs to no watch. */
const NO_WATCH = -1n;

interface Open {
  readonly stop: AbortController;
  /** Everything up to here has been sent. */
  delivered: number;
}

/** All watches of a client on one stream. */
export function watchService({ store, header, revision }: ServiceContext): Handlers<typeof Watch> {
  return {
    async watch(requests, send, { signal }) {
      const open = new Map<bigint, Open>();
      let lastId = -1n;
      let progressAsked: number | undefined;

      const answerProgress = async () => {
        const asked = progressAsked;
        // An answer holds for all watches of the stream: it must not overtake their events.
        if (asked === undefined || [...open.values()].some((w) => w.delivered < asked)) return;
        progressAsked = undefined;
        await send({ header: header(asked), watchId: NO_WATCH });
      };

      const run = async (id: bigint, request: WatchCreateRequest, start: number, watch: Open) => {
        const range = toKeyRange(request.key, request.rangeEnd);
        const wanted = (event: WatchEvent) => !request.filters.includes(event.type === 'put' ? Filter.NOPUT : Filter.NODELETE);
        try {
          for await (const batch of store.watch({ range, startRevision: start, prevKv: request.prevKv, progressNotify: true }, watch.stop.signal)) {
            const events = batch.events.filter(wanted);
            if (events.length > 0) for (const part of fragments(events, request.fragment)) await send({ header: header(batch.revision), watchId: id, ...part });
            else if (request.progressNotify && isProgress(batch)) await send({ header: header(batch.revision), watchId: id });
            watch.delivered = batch.revision;
            await answerProgress();
          }
        } catch (error) {
          open.delete(id);
          const compactRevision = error instanceof CompactedError ? BigInt(error.compactRevision) : 0n;
          await send({
            header: header(await revision().catch(() => 0)),
            watchId: id,
            canceled: true,
            compactRevision,
            cancelReason: toEtcdStatus(error).message,
          });
        }
      };

      const createWatch = async (request: WatchCreateRequest) => {
        const now = await revision();
        const id = request.watchId !== 0n ? request.watchId : nextId();
        const refuse = (cancelReason: string) => send({ header: header(now), watchId: NO_WATCH, created: true, canceled: true, cancelReason });
        if (open.has(id)) return refuse('etcdserver: mvcc: duplicate watch ID provided on the WatchStream');
        let start: number;
        try {
          toKeyRange(request.key, request.rangeEnd);
          start = request.startRevision > 0n ? toNumber(request.startRevision, 'revision') : now + 1;
        } catch (error) {
          return refuse(toEtcdStatus(error).message);
        }
        const watch: Open = { stop: new AbortController(), delivered: start > now ? now : start - 1 };
        open.set(id, watch);
        await send({ header: header(now), watchId: id, created: true });
        void run(id, request, start, watch);
      };

      const nextId = () => {
        do lastId++;
        while (open.has(lastId));
        return lastId;
      };

      const stopAll = () => {
        for (const { stop } of open.values()) stop.abort();
      };
      signal.addEventListener('abort', stopAll, { once: true });
      try {
        for await (const { requestUnion } of requests) {
          switch (requestUnion.case) {
            case 'createRequest':
              await createWatch(requestUnion.value);
              break;
            case 'cancelRequest': {
              const { watchId } = requestUnion.value;
              const watch = open.get(watchId);
              if (!watch) break;
              open.delete(watchId);
              watch.stop.abort();
              await send({ header: header(await revision()), watchId, canceled: true });
              break;
            }
            case 'progressRequest':
              progressAsked = await revision();
              await answerProgress();
              break;
            default:
          }
        }
        // The client has said all it wanted; its watches go on until it leaves.
        if (!signal.aborted && open.size > 0) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      } finally {
        stopAll();
      }
    },
  };
}

const isProgress = (batch: WatchBatch) => batch.events.length === 0;

function* fragments(events: readonly WatchEvent[], allowed: boolean) {
  let part: ReturnType<typeof toEtcdEvent>[] = [];
  let size = 0;
  for (const event of events) {
    const bytes = event.kv.key.length + event.kv.value.length + (event.prevKv ? event.prevKv.value.length : 0) + 64;
    if (allowed && part.length > 0 && size + bytes > FRAGMENT_BYTES) {
      yield { events: part, fragment: true };
      part = [];
      size = 0;
    }
    part.push(toEtcdEvent(event));
    size += bytes;
  }
  yield { events: part, fragment: false };
}

const toEtcdEvent = ({ type, kv, prevKv }: WatchEvent) => ({
  type: type === 'put' ? EventType.PUT : EventType.DELETE,
  kv: toEtcdKeyValue(kv),
  ...(prevKv ? { prevKv: toEtcdKeyValue(prevKv) } : {}),
});

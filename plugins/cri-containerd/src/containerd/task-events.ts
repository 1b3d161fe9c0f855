import { fromBinary } from '@bufbuild/protobuf';
import type { Clock, Logger } from '@coxswain/sdk';
import { TaskExitSchema, TaskOOMSchema } from '../generated/containerd/events/task_pb.js';
import type { Containerd } from './client.js';

export interface TaskEventHandlers {
  /** A container's first process has ended (not an exec'd one). */
  exit(containerId: string): void;
  oom(containerId: string): void;
  /** The stream was interrupted: events may have been lost. */
  resync(): void;
}

/** Follow containerd's task events until the signal aborts, reconnecting as often as needed. */
export async function followTaskEvents(
  containerd: Containerd,
  namespace: string,
  handlers: TaskEventHandlers,
  deps: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  for (let wait = 100; !signal.aborted; wait = Math.min(wait * 2, 5000)) {
    try {
      const filters = ['/tasks/exit', '/tasks/oom'].map((topic) => `namespace==${namespace},topic==${JSON.stringify(topic)}`);
      for await (const { topic, event } of containerd.events.subscribe({ filters }, { signal })) {
        wait = 100;
        if (!event) continue;
        if (topic === '/tasks/exit') {
          const { containerId, id } = fromBinary(TaskExitSchema, event.value);
          if (id === containerId || id === '') handlers.exit(containerId);
        } else if (topic === '/tasks/oom') {
          handlers.oom(fromBinary(TaskOOMSchema, event.value).containerId);
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      deps.logger.warn('containerd event stream broke; resuming', { err: error });
    }
    await deps.clock.sleep(wait, signal).catch(() => {});
    if (!signal.aborted) handlers.resync();
  }
}

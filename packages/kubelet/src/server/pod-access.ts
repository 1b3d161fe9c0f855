import type { Pod } from '@coxswain/api';
import type { ObservedContainer, ObservedPod } from '../pod/observed.js';
import type { PodCache } from '../pod/pod-cache.js';
import { findContainer } from '../pod/pod-spec.js';
import type { PodManager } from '../sources/pod-manager.js';
import { HttpError } from './http-error.js';

/** Finds what requests name, or says why not. */
export class PodAccess {
  constructor(
    private readonly manager: PodManager,
    private readonly cache: PodCache,
  ) {}

  /** `missing`: what is said when there is no such pod. */
  pod(namespace: string, name: string, uid?: string, missing = 'pod does not exist'): { readonly pod: Pod; readonly observed: ObservedPod } {
    const worker = this.manager.byName(namespace, name);
    const pod = worker?.pod;
    // The API's users know a static pod by its mirror's uid.
    const known = pod && (!uid || pod.metadata?.uid === uid || this.manager.apiPod(pod)?.metadata?.uid === uid);
    if (!pod || !known) throw new HttpError(404, missing);
    return { pod, observed: this.cache.get(pod.metadata?.uid ?? '') };
  }

  running(namespace: string, name: string, container: string, uid?: string): ObservedContainer {
    const { observed } = this.pod(namespace, name, uid);
    const found = observed.containers.find((c) => c.name === container && c.phase === 'running');
    if (!found) throw new HttpError(404, `container not found ("${container}")`);
    return found;
  }

  /** The container whose log is asked for. */
  logged(
    namespace: string,
    name: string,
    container: string,
    previous: boolean,
    waiting: (pod: Pod, container: string) => string | undefined,
  ): ObservedContainer {
    const { pod, observed } = this.pod(namespace, name, undefined, `pod "${name}" does not exist`);
    if (!findContainer(pod, container)) throw new HttpError(404, `container "${container}" not found in pod "${name}"`);
    const all = observed.containers.filter((c) => c.name === container);
    const latest = all[0];
    if (previous) {
      const ended = latest?.phase === 'exited' && waiting(pod, container) ? latest : all.find((c, i) => i > 0 && c.phase === 'exited');
      if (!ended) throw new HttpError(400, `previous terminated container "${container}" in pod "${name}" not found`);
      return ended;
    }
    if (!latest || latest.phase === 'created') {
      throw new HttpError(400, `container "${container}" in pod "${name}" is waiting to start: ${waiting(pod, container) ?? 'ContainerCreating'}`);
    }
    return latest;
  }

  sandbox(namespace: string, name: string, uid?: string): string {
    const { observed } = this.pod(namespace, name, uid);
    const sandbox = observed.sandboxes.find((s) => s.ready);
    if (!sandbox) throw new HttpError(404, `pod "${name}" is not running`);
    return sandbox.id;
  }
}

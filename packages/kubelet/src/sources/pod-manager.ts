import { readdir } from 'node:fs/promises';
import type { Pod } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import type { Logger } from '@coxswain/sdk';
import type { PodCgroups } from '../cgroups/pod-cgroups.js';
import type { DraManager } from '../dra/dra-manager.js';
import { removeForgottenLogs } from '../logs/forgotten-logs.js';
import type { Paths } from '../paths.js';
import { Keys } from '../pod/keys.js';
import { isTerminal } from '../pod/pod-spec.js';
import type { PodCache } from '../pod/pod-cache.js';
import type { StatusManager } from '../status/status-manager.js';
import { objectReferences } from '../volumes/references.js';
import type { ObjectStore } from '../volumes/object-store.js';
import type { VolumeManager } from '../volumes/volume-manager.js';
import type { PodWorker } from '../worker/pod-worker.js';

export interface PodManagerDeps {
  readonly client: KubeClient;
  readonly cache: PodCache;
  readonly status: StatusManager;
  readonly objects: ObjectStore;
  readonly volumes: VolumeManager;
  readonly dra: Pick<DraManager, 'unprepare' | 'pods'>;
  readonly cgroups: PodCgroups | undefined;
  readonly paths: Paths;
  readonly logger: Logger;
  readonly makeWorker: (uid: string) => PodWorker;
  readonly nodeReference: () => { readonly name: string; readonly uid: string } | undefined;
  readonly podsChanged: () => void;
}

const fullName = (pod: Pod) => `${pod.metadata?.namespace ?? 'default'}/${pod.metadata?.name}`;
const isMirror = (pod: Pod) => pod.metadata?.annotations?.[Keys.configMirror] !== undefined;
export const isStatic = (pod: Pod) => ['file', 'http'].includes(pod.metadata?.annotations?.[Keys.configSource] ?? '') && !isMirror(pod);

/** Which pods belong on this node, from all sources, and a worker for each, and for each that does not belong and is still there. */
export class PodManager {
  readonly #deps: PodManagerDeps;
  readonly #workers = new Map<string, PodWorker>();
  readonly #api = new Map<string, Pod>();
  readonly #mirrors = new Map<string, Pod>();
  readonly #static = new Map<string, Pod>();
  readonly #releases = new Map<string, (() => void)[]>();
  readonly #references = new Map<string, string>();
  #staticKnown = false;
  #apiKnown = false;
  #closed = false;
  readonly #stopping = new AbortController();

  constructor(deps: PodManagerDeps) {
    this.#deps = deps;
  }

  workers(): IterableIterator<PodWorker> {
    return this.#workers.values();
  }

  worker(uid: string): PodWorker | undefined {
    return this.#workers.get(uid);
  }

  /** Pods the kubelet works on, static ones included, mirrors not. */
  pods(): Pod[] {
    return [...this.#workers.values()].flatMap((w) => (w.pod ? [w.pod] : []));
  }

  byName(namespace: string, name: string): PodWorker | undefined {
    return [...this.#workers.values()].find((w) => w.pod?.metadata?.name === name && (w.pod.metadata.namespace ?? 'default') === namespace);
  }

  /** The API's copy of a pod: its mirror for a static one. */
  apiPod(pod: Pod): Pod | undefined {
    return isStatic(pod) ? this.#mirrors.get(fullName(pod)) : this.#api.get(pod.metadata?.uid ?? '');
  }

  /** Another pod of the same name is still here. */
  blocked(pod: Pod): boolean {
    if (!isStatic(pod)) return false;
    return [...this.#workers.values()].some((w) => w.uid !== pod.metadata?.uid && w.pod !== undefined && fullName(w.pod) === fullName(pod));
  }

  apiPodSet(pod: Pod): void {
    if (this.#closed) return;
    const uid = pod.metadata?.uid ?? '';
    if (isMirror(pod)) {
      this.#mirrors.set(fullName(pod), pod);
      void this.#syncMirror(fullName(pod));
      return;
    }
    const known = this.#api.has(uid);
    this.#api.set(uid, pod);
    if (!known || this.#workers.get(uid)) this.#work(pod);
    this.#deps.status.apiChanged(uid);
  }

  apiPodGone(pod: Pod): void {
    if (this.#closed) return;
    const uid = pod.metadata?.uid ?? '';
    if (isMirror(pod)) {
      if (this.#mirrors.get(fullName(pod))?.metadata?.uid === uid) this.#mirrors.delete(fullName(pod));
      void this.#syncMirror(fullName(pod));
      return;
    }
    this.#api.delete(uid);
    const worker = this.#workers.get(uid);
    if (worker?.pod && isStatic(worker.pod)) return;
    worker?.remove();
    this.#deps.status.forget(uid);
    this.#deps.podsChanged();
  }

  /** `complete`: all sources of static pods have spoken. */
  setStatic(pods: readonly Pod[], complete = true): void {
    if (this.#closed) return;
    this.#staticKnown ||= complete;
    const wanted = new Map(pods.map((p) => [p.metadata?.uid ?? '', p]));
    for (const [uid, pod] of this.#static) {
      if (wanted.has(uid)) continue;
      this.#static.delete(uid);
      this.#workers.get(uid)?.remove();
      void this.#syncMirror(fullName(pod));
    }
    for (const [uid, pod] of wanted) {
      if (this.#static.has(uid)) continue;
      this.#static.set(uid, pod);
      this.#work(pod);
      void this.#syncMirror(fullName(pod));
    }
    void this.collectOrphans();
  }

  /** The first list of the API's pods is complete. */
  apiSynced(): void {
    this.#apiKnown = true;
    for (const name of [...this.#mirrors.keys(), ...[...this.#static.values()].map(fullName)]) void this.#syncMirror(name);
    void this.collectOrphans();
  }

  /** Tell everyone whose spec names this object. */
  objectChanged(kind: string, namespace: string, name: string): void {
    for (const worker of this.#workers.values()) {
      const pod = worker.pod;
      if (!pod || (pod.metadata?.namespace ?? 'default') !== namespace) continue;
      if (objectReferences(pod).some((r) => r.kind === kind && r.name === name)) worker.wake();
    }
  }

  finished(uid: string): void {
    const worker = this.#workers.get(uid);
    this.#workers.delete(uid);
    this.#release(uid);
    this.#references.delete(uid);
    this.#deps.podsChanged();
    const pod = worker?.pod;
    if (!pod) return;
    for (const other of this.#workers.values()) if (other.pod && fullName(other.pod) === fullName(pod)) other.wake();
    // The manifest came back while the pod was stopping.
    const again = this.#static.get(uid);
    if (again && !this.#closed) this.#work(again);
  }

  /** Something all pods may have waited for is there. */
  wakeAll(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  /** Stops whatever runs here and belongs to no pod, and clears folders of pods that are gone. Only once all sources have spoken. */
  async collectOrphans(): Promise<void> {
    const { cache, paths, volumes, dra, cgroups, logger } = this.#deps;
    if (!this.#apiKnown || !this.#staticKnown || this.#closed) return;
    for (const uid of cache.uids()) {
      if (this.#workers.has(uid)) continue;
      logger.info('stopping a pod that no source has', { uid });
      const worker = this.#deps.makeWorker(uid);
      this.#workers.set(uid, worker);
      worker.remove();
    }
    const isKnown = (uid: string) => this.#workers.has(uid) || cache.uids().includes(uid);
    await removeForgottenLogs(paths, isKnown).catch((error: unknown) => logger.warn('removing logs of pods that are gone failed', { err: error }));
    for (const uid of new Set([...(await readdir(paths.pods).catch(() => [])), ...dra.pods()])) {
      if (isKnown(uid)) continue;
      await cgroups?.remove(uid).catch((error: unknown) => logger.warn('removing an orphan cgroup failed', { uid, err: error }));
      await dra
        .unprepare(uid, this.#stopping.signal)
        .catch((error: unknown) => logger.warn('giving back the devices of an orphan failed', { uid, err: error }));
      await volumes.teardown(uid).catch((error: unknown) => logger.warn('removing an orphan pod folder failed', { uid, err: error }));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopping.abort(new Error('the kubelet is stopping'));
    await Promise.all([...this.#workers.values()].map((w) => w.close()));
    for (const uid of [...this.#releases.keys()]) this.#release(uid);
  }

  #work(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    let worker = this.#workers.get(uid);
    if (!worker) {
      // A pod that ended and of which nothing is left needs no worker until it is deleted.
      worker = this.#deps.makeWorker(uid);
      this.#workers.set(uid, worker);
    }
    if (!isTerminal(pod)) this.#acquire(uid, pod);
    worker.update(pod);
    this.#deps.podsChanged();
  }

  #acquire(uid: string, pod: Pod): void {
    const references = objectReferences(pod);
    const key = references.map((r) => `${r.kind}/${r.name}`).join();
    if (this.#references.get(uid) === key) return;
    const fresh = references.map((r) => this.#deps.objects.acquire(r.kind, pod.metadata?.namespace ?? 'default', r.name));
    this.#release(uid);
    this.#releases.set(uid, fresh);
    this.#references.set(uid, key);
  }

  #release(uid: string): void {
    for (const release of this.#releases.get(uid) ?? []) release();
    this.#releases.delete(uid);
  }

  /** Makes the API show a static pod exactly once. */
  async #syncMirror(name: string): Promise<void> {
    if (!this.#apiKnown || this.#closed) return;
    const { client, logger, nodeReference, status } = this.#deps;
    const pod = [...this.#static.values()].find((p) => fullName(p) === name);
    const mirror = this.#mirrors.get(name);
    const pods = client.api.pods(name.split('/')[0]);
    try {
      const hash = pod?.metadata?.annotations?.[Keys.configHash];
      if (mirror && (!pod || mirror.metadata?.annotations?.[Keys.configMirror] !== hash || mirror.metadata?.deletionTimestamp)) {
        const uid = mirror.metadata?.uid;
        await pods.delete(mirror.metadata?.name ?? '', { gracePeriodSeconds: 0, ...(uid ? { preconditions: { uid } } : {}) });
        return;
      }
      if (!pod) return;
      if (mirror) {
        status.apiChanged(pod.metadata?.uid ?? '');
        return;
      }
      const node = nodeReference();
      const { uid: _uid, ...metadata } = pod.metadata ?? {};
      await pods.create({
        ...pod,
        metadata: {
          ...metadata,
          annotations: { ...metadata.annotations, [Keys.configMirror]: hash ?? '' },
          ...(node ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid, controller: true }] } : {}),
        },
      } as Pod & { metadata: NonNullable<Pod['metadata']> });
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (code !== 404 && code !== 409) logger.warn('keeping a mirror pod failed', { pod: name, err: error });
    }
  }
}

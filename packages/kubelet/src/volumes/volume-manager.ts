import { chmod, mkdir, rm, stat } from 'node:fs/promises';
import type { Pod, Volume } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import { isMountPoint, mountTmpfs, umountAll } from '@coxswain/linux';
import type { Clock, Logger } from '@coxswain/sdk';
import type { KubeletEvents } from '../events.js';
import type { Paths } from '../paths.js';
import { effectiveSecurity } from '../render/security.js';
import type { FieldContext } from '../render/field-path.js';
import { podContainers } from '../pod/pod-spec.js';
import { writeAtomically } from './atomic-writer.js';
import { checkHostPath } from './host-path.js';
import type { CsiVolumes } from '../csi/csi-volumes.js';
import { expandOnNode } from '../csi/expand-on-node.js';
import { memoryVolumeSize } from './memory-volume.js';
import type { ObjectKind, ObjectStore } from './object-store.js';
import { applyFsGroup } from './ownership.js';
import { downwardFiles, keyFiles, type Payload } from './payload.js';
import type { TokenManager } from './service-account-token.js';
import { resolveVolume } from './volume-source.js';

export interface MountedVolume {
  /** Absent for image volumes, which the runtime mounts, and for block volumes. */
  readonly path?: string;
  /** The block device of a block volume. */
  readonly device?: string;
  readonly image?: string;
  readonly readOnly: boolean;
}

/** A volume that cannot be set up; the message is the event's. */
export class VolumeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'VolumeError';
  }
}

interface PodVolumes {
  pod: Pod;
  readonly ready: Map<string, MountedVolume>;
  /** What the written volumes were written from, for the downward API. */
  metadata: string;
  cancelRenewal?: () => void;
  writing: Promise<void>;
  gone: boolean;
  /** An object changed while a volume that shows it was being set up: it may have been read before. */
  missed: boolean;
}

export interface VolumeManagerDeps {
  readonly paths: Paths;
  readonly client: KubeClient;
  readonly objects: ObjectStore;
  readonly tokens: TokenManager;
  readonly events: KubeletEvents;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fieldContext: (pod: Pod) => FieldContext;
  /** False: volumes in memory are plain folders. Default true. */
  readonly mountVolumes?: boolean;
  readonly csi: CsiVolumes;
}

const WRITTEN = ['configMap', 'secret', 'projected', 'downwardAPI'] as const;

/** Sets volumes up once per pod, keeps the written ones up to date, and takes everything down. */
export class VolumeManager {
  readonly #deps: VolumeManagerDeps;
  readonly #pods = new Map<string, PodVolumes>();
  #stamp = 0;

  constructor(deps: VolumeManagerDeps) {
    this.#deps = deps;
  }

  /** All volumes of the pod; sets up, in parallel, those that are not yet. Rejects with a `VolumeError` after the events. */
  async setup(pod: Pod, signal: AbortSignal): Promise<ReadonlyMap<string, MountedVolume>> {
    const uid = pod.metadata?.uid ?? '';
    let state = this.#pods.get(uid);
    if (!state) {
      state = { pod, ready: new Map(), metadata: downwardKey(pod), writing: Promise.resolve(), gone: false, missed: false };
      await mkdir(this.#deps.paths.pod(uid), { recursive: true, mode: 0o750 });
      this.#pods.set(uid, state);
    }
    state.pod = pod;
    const mine = state;
    const missing = (pod.spec?.volumes ?? []).filter((v) => !mine.ready.has(v.name));
    const failures = await Promise.all(
      missing.map(async (volume) => {
        try {
          mine.ready.set(volume.name, await this.#setupOne(mine, volume, signal));
          return undefined;
        } catch (error) {
          signal.throwIfAborted();
          const message = `MountVolume.SetUp failed for volume "${volume.name}" : ${(error as Error).message}`;
          this.#deps.events.pod(pod, 'Warning', 'FailedMount', message);
          return message;
        }
      }),
    );
    if (mine.missed) {
      mine.missed = false;
      await this.#rewrite(mine, () => true);
    }
    const failed = failures.filter((f) => f !== undefined);
    if (failed.length > 0) throw new VolumeError(failed.join('; '));
    const key = downwardKey(pod);
    if (key !== mine.metadata) {
      mine.metadata = key;
      await this.#rewrite(mine, (v) => usesDownward(v));
    }
    return mine.ready;
  }

  /** A config map or secret changed: write again what shows it. */
  objectChanged(kind: ObjectKind, namespace: string, name: string): void {
    for (const state of this.#pods.values()) {
      if ((state.pod.metadata?.namespace ?? 'default') !== namespace) continue;
      if ((state.pod.spec?.volumes ?? []).some((v) => !state.ready.has(v.name) && shows(v, kind, name))) state.missed = true;
      void this.#rewrite(state, (v) => shows(v, kind, name));
    }
  }

  /** Unmounts and removes everything of a pod. Idempotent; also for pods of a former life. */
  async teardown(uid: string): Promise<void> {
    const state = this.#pods.get(uid);
    if (state) {
      state.gone = true;
      state.cancelRenewal?.();
      await state.writing;
      this.#pods.delete(uid);
    }
    this.#deps.tokens.forget(uid);
    // By their drivers, before the rest: what is still mounted is not ours to take away.
    await this.#deps.csi.teardown(uid, new AbortController().signal);
    const dir = this.#deps.paths.pod(uid);
    if (!(await stat(dir).catch(() => undefined))) return;
    await umountAll(dir);
    await rm(dir, { recursive: true, force: true });
  }

  names(uid: string): { readonly name: string; readonly path: string }[] {
    return [...(this.#pods.get(uid)?.ready ?? [])].flatMap(([name, v]) => (v.path ? [{ name, path: v.path }] : []));
  }

  /** Volumes that may have grown meanwhile: their file systems follow. */
  async expandVolumes(signal: AbortSignal): Promise<void> {
    for (const { pod, ready } of this.#pods.values()) {
      for (const volume of pod.spec?.volumes ?? []) {
        if (!ready.has(volume.name) || !(volume.persistentVolumeClaim ?? volume.ephemeral)) continue;
        try {
          const resolved = await resolveVolume(pod, volume, this.#deps.client, signal);
          if (resolved.type === 'csi') await expandOnNode(pod, resolved, this.#deps, signal);
        } catch (error) {
          if (signal.aborted) return;
          this.#deps.logger.warn('looking after the size of a volume failed', { pod: pod.metadata?.name, volume: volume.name, err: error });
        }
      }
    }
  }

  close(): void {
    for (const state of this.#pods.values()) state.cancelRenewal?.();
  }

  async #setupOne(state: PodVolumes, volume: Volume, signal: AbortSignal): Promise<MountedVolume> {
    const { pod } = state;
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    if (volume.emptyDir) return this.#emptyDir(pod, volume, fsGroup);
    if (volume.image) return { image: volume.image.reference ?? '', readOnly: true };
    if (WRITTEN.some((type) => volume[type])) return this.#written(state, volume, signal);
    const resolved = await resolveVolume(pod, volume, this.#deps.client, signal);
    if (resolved.type === 'pod') throw new Error('no volume plugin matched');
    if (resolved.type === 'device') {
      await checkHostPath(resolved.path, 'BlockDevice');
      return { device: resolved.path, readOnly: resolved.readOnly };
    }
    if (resolved.type === 'csi') {
      const mounted = await this.#deps.csi.setup(pod, resolved.spec, { fsGroup, policy: policyOf(pod) }, signal);
      await expandOnNode(pod, resolved, this.#deps, signal);
      return { ...mounted, readOnly: resolved.spec.readOnly };
    }
    await checkHostPath(resolved.path, resolved.hostPathType);
    if (resolved.fsGroup && fsGroup !== undefined && !resolved.readOnly) await applyFsGroup(resolved.path, fsGroup, policyOf(pod));
    return { path: resolved.path, readOnly: resolved.readOnly };
  }

  async #emptyDir(pod: Pod, volume: Volume, fsGroup: number | undefined): Promise<MountedVolume> {
    const path = this.#deps.paths.volume(pod.metadata?.uid ?? '', 'empty-dir', volume.name);
    const fresh = await mkdir(path, { recursive: true, mode: 0o750 });
    if (volume.emptyDir?.medium === 'Memory') {
      const sizeBytes = memoryVolumeSize(pod, volume.emptyDir, this.#deps.fieldContext(pod).allocatable['memory']);
      if (this.#deps.mountVolumes === false) await chmod(path, 0o777);
      else if (fresh !== undefined || !(await isMountPoint(path)))
        await mountTmpfs({ target: path, mode: 0o777, ...(sizeBytes === undefined ? {} : { sizeBytes }) });
    } else if (volume.emptyDir?.medium) throw new Error(`unsupported emptyDir medium "${volume.emptyDir.medium}" on this node`);
    // Not by mkdir's mode: the umask would narrow it.
    else await chmod(path, 0o777);
    if (fsGroup !== undefined) await applyFsGroup(path, fsGroup);
    return { path, readOnly: false };
  }

  async #written(state: PodVolumes, volume: Volume, signal: AbortSignal): Promise<MountedVolume> {
    const uid = state.pod.metadata?.uid ?? '';
    const plugin = volume.configMap ? 'configmap' : volume.secret ? 'secret' : volume.projected ? 'projected' : 'downward-api';
    const path = this.#deps.paths.volume(uid, plugin, volume.name);
    const fresh = await mkdir(path, { recursive: true, mode: 0o755 });
    // Secrets never reach a disk.
    if (this.#deps.mountVolumes !== false && (volume.secret || volume.projected) && (fresh !== undefined || !(await isMountPoint(path))))
      await mountTmpfs({ target: path, mode: 0o777 });
    await this.#write(state, volume, path, signal);
    return { path, readOnly: true };
  }

  async #write(state: PodVolumes, volume: Volume, path: string, signal: AbortSignal): Promise<void> {
    const { pod } = state;
    const { payload, renewAt } = await this.#payload(pod, volume, signal);
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    this.#stamp++;
    const stamp = `${new Date(this.#deps.clock.now()).toISOString().replace(/[-:T]/g, '_').slice(0, 19)}.${process.pid}${this.#stamp}`;
    writeAtomically(path, payload, { stamp, ...(fsGroup !== undefined ? { gid: fsGroup } : {}) });
    if (renewAt !== undefined) this.#scheduleRenewal(state, volume, renewAt);
  }

  #scheduleRenewal(state: PodVolumes, volume: Volume, at: number): void {
    const { clock } = this.#deps;
    state.cancelRenewal?.();
    state.cancelRenewal = clock.setTimeout(
      () => void this.#rewrite(state, (v) => v.name === volume.name || Boolean(v.projected?.sources?.some((s) => s.serviceAccountToken))),
      Math.max(1000, at - clock.now()),
    );
  }

  /** One write at a time per pod: each sees the newest objects. */
  #rewrite(state: PodVolumes, which: (v: Volume) => boolean): Promise<void> {
    const volumes = (state.pod.spec?.volumes ?? []).filter((v) => state.ready.has(v.name) && WRITTEN.some((type) => v[type]) && which(v));
    if (volumes.length === 0) return Promise.resolve();
    state.writing = state.writing.then(async () => {
      for (const volume of volumes) {
        const path = state.ready.get(volume.name)?.path;
        if (state.gone || !path) return;
        try {
          await this.#write(state, volume, path, new AbortController().signal);
        } catch (error) {
          this.#deps.logger.warn('updating a volume failed', { pod: state.pod.metadata?.name, volume: volume.name, err: error });
          this.#deps.events.pod(state.pod, 'Warning', 'FailedMount', `MountVolume.SetUp failed for volume "${volume.name}" : ${(error as Error).message}`);
          if (volume.projected?.sources?.some((s) => s.serviceAccountToken)) this.#scheduleRenewal(state, volume, this.#deps.clock.now() + 10_000);
        }
      }
    });
    return state.writing;
  }

  async #payload(pod: Pod, volume: Volume, signal: AbortSignal): Promise<{ payload: Payload; renewAt?: number }> {
    const namespace = pod.metadata?.namespace ?? 'default';
    const { objects, fieldContext } = this.#deps;
    const configMap = async (name: string, items: Parameters<typeof keyFiles>[3], mode: number, optional: boolean) => {
      const object = await objects.get('ConfigMap', namespace, name, signal);
      if (!object && !optional) throw new Error(`configmap "${name}" not found`);
      return keyFiles('configmap', `${namespace}/${name}`, object, items, mode, optional);
    };
    const secret = async (name: string, items: Parameters<typeof keyFiles>[3], mode: number, optional: boolean) => {
      const object = await objects.get('Secret', namespace, name, signal);
      if (!object && !optional) throw new Error(`secret "${name}" not found`);
      return keyFiles('secret', `${namespace}/${name}`, object, items, mode, optional);
    };
    if (volume.configMap)
      return {
        payload: await configMap(
          volume.configMap.name ?? '',
          volume.configMap.items,
          volume.configMap.defaultMode ?? 0o644,
          volume.configMap.optional ?? false,
        ),
      };
    if (volume.secret)
      return {
        payload: await secret(volume.secret.secretName ?? '', volume.secret.items, volume.secret.defaultMode ?? 0o644, volume.secret.optional ?? false),
      };
    if (volume.downwardAPI) return { payload: downwardFiles(pod, volume.downwardAPI.items ?? [], volume.downwardAPI.defaultMode ?? 0o644, fieldContext(pod)) };
    const mode = volume.projected?.defaultMode ?? 0o644;
    let renewAt: number | undefined;
    const parts = await Promise.all(
      (volume.projected?.sources ?? []).map(async (source): Promise<Payload> => {
        if (source.configMap) return configMap(source.configMap.name ?? '', source.configMap.items, mode, source.configMap.optional ?? false);
        if (source.secret) return secret(source.secret.name ?? '', source.secret.items, mode, source.secret.optional ?? false);
        if (source.downwardAPI) return downwardFiles(pod, source.downwardAPI.items ?? [], mode, fieldContext(pod));
        if (source.serviceAccountToken) {
          const { token, renewAt: at } = await this.#deps.tokens.token(pod, source.serviceAccountToken, signal);
          renewAt = Math.min(renewAt ?? at, at);
          const uid = commonUser(pod);
          const narrow = uid !== undefined || pod.spec?.securityContext?.fsGroup !== undefined;
          return new Map([[source.serviceAccountToken.path, { data: Buffer.from(token), mode: narrow ? 0o600 : mode, ...(uid !== undefined ? { uid } : {}) }]]);
        }
        throw new Error('projected volume source is not supported by this kubelet');
      }),
    );
    return { payload: new Map(parts.flatMap((p) => [...p])), ...(renewAt !== undefined ? { renewAt } : {}) };
  }
}

/** The one user all containers run as, if they do. */
function commonUser(pod: Pod): number | undefined {
  const users = new Set(
    podContainers(pod)
      .filter((r) => r.kind !== 'ephemeral')
      .map(({ container }) => effectiveSecurity(pod.spec?.securityContext, container.securityContext).runAsUser),
  );
  return users.size === 1 ? [...users][0] : undefined;
}

function policyOf(pod: Pod): 'Always' | 'OnRootMismatch' {
  return pod.spec?.securityContext?.fsGroupChangePolicy === 'OnRootMismatch' ? 'OnRootMismatch' : 'Always';
}

function usesDownward(v: Volume): boolean {
  return Boolean(v.downwardAPI || v.projected?.sources?.some((s) => s.downwardAPI));
}

function downwardKey(pod: Pod): string {
  return (pod.spec?.volumes ?? []).some(usesDownward)
    ? JSON.stringify([pod.metadata?.labels, pod.metadata?.annotations, (pod.spec?.containers ?? []).map((c) => c.resources)])
    : '';
}

function shows(v: Volume, kind: ObjectKind, name: string): boolean {
  if (kind === 'ConfigMap') return v.configMap?.name === name || Boolean(v.projected?.sources?.some((s) => s.configMap?.name === name));
  return v.secret?.secretName === name || Boolean(v.projected?.sources?.some((s) => s.secret?.name === name));
}

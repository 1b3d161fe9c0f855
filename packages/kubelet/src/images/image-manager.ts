import type { Container, Pod, Secret } from '@coxswain/api';
import { formatDuration } from '@coxswain/apimachinery';
import { type Image, type ImageServiceClient, isRpcError } from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';
import type { KubeletEvents } from '../events.js';
import { Backoff, type BackoffOptions } from '../pod/backoff.js';
import type { SandboxConfig } from '../render/sandbox-config.js';
import { pullErrorText } from '../runtime-errors.js';
import { type PullCredential, registryCredentials } from './credentials.js';
import { type ImageName, parseImageName, pullPolicy } from './image-name.js';
import { PullGate } from './pull-gate.js';
import type { PullRecords } from './pull-records.js';
import { TokenBucket } from './token-bucket.js';

/** Why an image is not there, under upstream's reasons. */
export class ImageError extends Error {
  constructor(
    readonly reason: 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull' | 'InvalidImageName' | 'ImageInspectError' | 'RegistryUnavailable',
    message: string,
    /** Milliseconds until trying again makes sense. */
    readonly retryMs?: number,
  ) {
    super(message);
    this.name = 'ImageError';
  }
}

export interface ImageManagerOptions {
  readonly backoff: BackoffOptions;
  /** How long an image that was seen counts as present, ms. */
  readonly presenceMs: number;
  /** Pulls at a time. Absent: no limit. */
  readonly maxParallelPulls?: number;
  /** Pulls a second, after a burst; more fail and are tried again. Absent or 0: no limit. */
  readonly pullQps?: number;
  readonly pullBurst?: number;
}

export interface ImageManagerDeps {
  readonly image: ImageServiceClient;
  readonly clock: Clock;
  readonly events: KubeletEvents;
  /** Pull secrets of a pod that exist. */
  readonly pullSecrets: (pod: Pod) => Promise<Secret[]>;
  readonly records: PullRecords;
}

/** Brings images to the node: presence, pulls (one at a time per image), back-off and events. */
export class ImageManager {
  readonly #deps: ImageManagerDeps;
  readonly #options: ImageManagerOptions;
  readonly #backoff: Backoff;
  readonly #present = new Map<string, { readonly image: Image; readonly until: number }>();
  readonly #pulls = new Map<string, Promise<Image>>();
  readonly #gate: PullGate | undefined;
  readonly #rate: TokenBucket | undefined;
  /** When an image was last used by a container, by id; for garbage collection. */
  readonly lastUsed = new Map<string, number>();

  constructor(deps: ImageManagerDeps, options: ImageManagerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#backoff = new Backoff(options.backoff);
    this.#gate = options.maxParallelPulls === undefined ? undefined : new PullGate(options.maxParallelPulls);
    this.#rate = options.pullQps ? new TokenBucket(deps.clock, options.pullQps, options.pullBurst ?? 10) : undefined;
  }

  /** Forget that an image is present: the runtime said otherwise. */
  forget(name?: string): void {
    if (name === undefined) this.#present.clear();
    else this.#present.delete(parseImageName(name)?.name ?? name);
  }

  /** The image of a container, pulled by its policy. Rejects with an `ImageError`. */
  async ensure(pod: Pod, container: Container, config: SandboxConfig | undefined, runtimeHandler: string, signal: AbortSignal): Promise<Image> {
    const { clock, events } = this.#deps;
    const event = (type: 'Normal' | 'Warning', reason: string, message: string) => events.pod(pod, type, reason, message, container.name);
    const asked = container.image ?? '';
    const name = parseImageName(asked);
    if (!name) {
      const message = `Failed to apply default image tag "${asked}": couldn't parse image name "${asked}": invalid reference format`;
      event('Warning', 'InspectFailed', message);
      throw new ImageError('InvalidImageName', message);
    }
    const policy = pullPolicy(container.imagePullPolicy, name);
    const present = policy === 'Always' ? undefined : await this.#lookup(name.name, signal, (message) => event('Warning', 'InspectFailed', message));
    const credentials = async () => registryCredentials(name, await this.#deps.pullSecrets(pod));
    if (present && !(await this.#deps.records.mustPull(name, present.id, credentials))) {
      event('Normal', 'Pulled', `Container image "${asked}" already present on machine and can be accessed by the pod`);
      this.lastUsed.set(present.id, clock.now());
      return present;
    }
    if (policy === 'Never') {
      const message = present
        ? `Container image "${asked}" is present with pull policy of Never but does not have the proper auth (image secret) that was used to pull the image`
        : `Container image "${asked}" is not present with pull policy of Never`;
      event('Warning', 'ErrImageNeverPull', message);
      throw new ImageError('ErrImageNeverPull', message);
    }
    const key = `${pod.metadata?.uid}_${name.name}`;
    const now = clock.now();
    const since = this.#failedAt.get(key);
    const remaining = since === undefined ? 0 : this.#backoff.remaining(key, since, now);
    if (remaining > 0) {
      const message = `Back-off pulling image "${asked}"`;
      event('Normal', 'BackOff', message);
      throw new ImageError('ImagePullBackOff', `${message}: ${this.#lastError.get(key) ?? ''}`, remaining);
    }
    event('Normal', 'Pulling', `Pulling image "${asked}"`);
    const started = clock.monotonic();
    try {
      const image = await this.#pull(await credentials(), name, config, runtimeHandler, signal);
      const took = formatDuration(Math.round(clock.monotonic() - started));
      event('Normal', 'Pulled', `Successfully pulled image "${asked}" in ${took} (${took} including waiting). Image size: ${image.size} bytes.`);
      this.#failedAt.delete(key);
      this.#lastError.delete(key);
      this.#backoff.reset(key);
      this.lastUsed.set(image.id, clock.now());
      return image;
    } catch (error) {
      signal.throwIfAborted();
      const reason = (error as Error).message;
      event('Warning', 'Failed', `Failed to pull image "${asked}": ${reason}`);
      const failed = clock.now();
      this.#backoff.next(key, failed, failed);
      this.#failedAt.set(key, failed);
      this.#lastError.set(key, `ErrImagePull: ${reason}`);
      // Upstream looks again after its sync period, finds the back-off, and says so; the same in one short step.
      throw new ImageError('ErrImagePull', reason, Math.min(1000, this.#backoff.delay(key) / 2));
    }
  }

  readonly #failedAt = new Map<string, number>();
  readonly #lastError = new Map<string, string>();

  /** Ends what is remembered for a pod. */
  forgetPod(uid: string): void {
    for (const map of [this.#failedAt, this.#lastError]) for (const key of map.keys()) if (key.startsWith(`${uid}_`)) map.delete(key);
    this.#backoff.resetAll(`${uid}_`);
  }

  async #lookup(name: string, signal: AbortSignal, failed: (message: string) => void): Promise<Image | undefined> {
    const known = this.#present.get(name);
    if (known && known.until > this.#deps.clock.monotonic()) return known.image;
    let image: Image | undefined;
    try {
      ({ image } = await this.#deps.image.imageStatus({ image: { image: name } }, { signal }));
    } catch (error) {
      signal.throwIfAborted();
      if (isRpcError(error, 'notFound')) return undefined;
      const message = `Failed to inspect image "${name}": ${(error as Error).message}`;
      failed(message);
      throw new ImageError('ImageInspectError', message);
    }
    if (!image?.id) return undefined;
    this.#remember(name, image);
    return image;
  }

  #remember(name: string, image: Image): void {
    this.#present.set(name, { image, until: this.#deps.clock.monotonic() + this.#options.presenceMs });
  }

  async #pull(
    credentials: readonly PullCredential[],
    name: ImageName,
    config: SandboxConfig | undefined,
    runtimeHandler: string,
    signal: AbortSignal,
  ): Promise<Image> {
    const key = `${name.name}\0${runtimeHandler}\0${JSON.stringify(credentials)}`;
    let pull = this.#pulls.get(key);
    if (!pull) {
      // Shared by every pod that asks meanwhile, so one pod's end must not cancel it.
      const start = () => this.#pullNow(name, credentials, config, runtimeHandler);
      pull = (this.#gate ? this.#gate.run(start) : start()).finally(() => this.#pulls.delete(key));
      this.#pulls.set(key, pull);
    }
    return abortable(pull, signal);
  }

  async #pullNow(image: ImageName, credentials: readonly PullCredential[], config: SandboxConfig | undefined, runtimeHandler: string): Promise<Image> {
    if (this.#rate && !this.#rate.take()) throw new Error('pull QPS exceeded');
    const { records } = this.#deps;
    await records.begin(image.name);
    try {
      const { found, used } = await this.#pullWithAny(image.name, credentials, config, runtimeHandler);
      await records.succeeded(image, found.id, used);
      return found;
    } catch (error) {
      await records.failed(image.name);
      throw error;
    }
  }

  /** With the first credentials that are good for it. */
  async #pullWithAny(
    name: string,
    credentials: readonly PullCredential[],
    config: SandboxConfig | undefined,
    runtimeHandler: string,
  ): Promise<{ found: Image; used: PullCredential | undefined }> {
    const spec = { image: name, userSpecifiedImage: name, runtimeHandler };
    const errors: Error[] = [];
    for (const used of credentials.length > 0 ? credentials : [undefined]) {
      const auth = used?.auth;
      try {
        const { imageRef } = await this.#deps.image.pullImage({ image: spec, ...(auth ? { auth } : {}), ...(config ? { sandboxConfig: config } : {}) });
        const { image } = await this.#deps.image.imageStatus({ image: { image: imageRef } });
        const found = image ?? (await this.#deps.image.imageStatus({ image: { image: name } })).image;
        if (!found) throw new Error(`image "${name}" is not there after its pull`);
        this.#remember(name, found);
        return { found, used };
      } catch (error) {
        errors.push(new Error(pullErrorText(error), { cause: error }));
      }
    }
    throw errors.length === 1 ? (errors[0] as Error) : new Error(errors.map((e) => e.message).join('; '));
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger } from '@coxswain/sdk';
import type { PullCredential } from './credentials.js';
import type { ImageName } from './image-name.js';
import { fullName, mustVerify, type VerificationPolicy } from './verification-policy.js';

/** The Secret that credentials came out of, and a digest of them. */
interface SecretRecord {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly credentialHash: string;
}

interface Credentials {
  /** Nobody had to say who they are. */
  readonly nodePodsAccessible?: boolean;
  readonly kubernetesSecrets?: readonly SecretRecord[];
}

/** Upstream's ImagePulledRecord. */
interface PulledRecord {
  readonly kind: 'ImagePulledRecord';
  readonly apiVersion: string;
  readonly lastUpdatedTime: string;
  readonly imageRef: string;
  /** By the image's name without tag and digest. */
  readonly credentialMapping: Readonly<Record<string, Credentials>>;
}

interface PullIntent {
  readonly kind: 'ImagePullIntent';
  readonly apiVersion: string;
  readonly image: string;
}

const API_VERSION = 'kubelet.config.k8s.io/v1beta1';
/** Beyond this no more secrets are noted for an image that one of them was good for already. */
const MAX_NOTED = 100;

/**
 * Remembers with whose credentials the kubelet has pulled an image, in upstream's files, so that a pod cannot use what another pod's
 * secrets have brought to the node. An image that was begun to be pulled and is there after a crash belongs to nobody.
 */
export class PullRecords {
  readonly #pulled = new Map<string, PulledRecord>();
  readonly #intents = new Map<string, number>();

  private constructor(
    private readonly dir: string,
    private readonly policy: VerificationPolicy,
    private readonly clock: Pick<Clock, 'now'>,
    private readonly logger: Logger,
  ) {}

  static async open(dir: string, policy: VerificationPolicy, clock: Pick<Clock, 'now'>, logger: Logger): Promise<PullRecords> {
    const records = new PullRecords(dir, policy, clock, logger);
    await mkdir(records.#folder('pulled'), { recursive: true, mode: 0o700 });
    await mkdir(records.#folder('pulling'), { recursive: true, mode: 0o700 });
    for (const record of await records.#read<PulledRecord>('pulled')) records.#pulled.set(record.imageRef, record);
    for (const intent of await records.#read<PullIntent>('pulling')) records.#intents.set(intent.image, 0);
    return records;
  }

  /** Known before it is pulled: a crash must not make it everybody's. */
  async begin(image: string): Promise<void> {
    const running = this.#intents.get(image);
    this.#intents.set(image, (running ?? 0) + 1);
    if (running === undefined) await this.#write('pulling', image, { kind: 'ImagePullIntent', apiVersion: API_VERSION, image } satisfies PullIntent);
  }

  /** @param used What it was pulled with; undefined: nothing was needed. */
  async succeeded(image: ImageName, imageRef: string, used: PullCredential | undefined): Promise<void> {
    await this.#note(image, imageRef, used);
    await this.failed(image.name);
  }

  async failed(image: string): Promise<void> {
    const running = this.#intents.get(image) ?? 0;
    if (running > 1) return void this.#intents.set(image, running - 1);
    this.#intents.delete(image);
    await rm(this.#file('pulling', image), { force: true });
  }

  /** Whether a pod may use an image that is there only after a pull with credentials of its own. */
  async mustPull(image: ImageName, imageRef: string, ofPod: () => Promise<readonly PullCredential[]>): Promise<boolean> {
    const record = this.#pulled.get(imageRef);
    const byKubelet = record !== undefined || this.#intents.has(image.name);
    if (!mustVerify(this.policy, image, byKubelet)) return false;
    const known = record?.credentialMapping[fullName(image)];
    if (!known) return true;
    if (known.nodePodsAccessible) return false;
    const secrets = known.kubernetesSecrets ?? [];
    if (secrets.length === 0) return true;
    for (const own of await ofPod()) {
      const hash = hashOf(own);
      const fits = secrets.some((s) => s.credentialHash === hash || sameSecret(s, own));
      if (!fits) continue;
      // A secret that was changed, or another one that says the same: good from now on, too.
      if (secrets.length < MAX_NOTED) await this.#note(image, imageRef, own);
      return false;
    }
    return true;
  }

  /** Forget images that are no more, but for those that came since `before` (milliseconds since the epoch). */
  async prune(there: ReadonlySet<string>, before: number): Promise<void> {
    for (const { imageRef, lastUpdatedTime } of [...this.#pulled.values()]) {
      if (there.has(imageRef) || Date.parse(lastUpdatedTime) >= before) continue;
      this.#pulled.delete(imageRef);
      await rm(this.#file('pulled', imageRef), { force: true });
    }
  }

  async #note(image: ImageName, imageRef: string, used: PullCredential | undefined): Promise<void> {
    const name = fullName(image);
    const old = this.#pulled.get(imageRef);
    const merged = merge(old?.credentialMapping[name], used);
    if (!merged) return;
    const record: PulledRecord = {
      kind: 'ImagePulledRecord',
      apiVersion: API_VERSION,
      lastUpdatedTime: new Date(this.clock.now()).toISOString(),
      imageRef,
      credentialMapping: { ...old?.credentialMapping, [name]: merged },
    };
    this.#pulled.set(imageRef, record);
    await this.#write('pulled', imageRef, record);
  }

  #folder(kind: 'pulled' | 'pulling'): string {
    return join(this.dir, kind);
  }

  #file(kind: 'pulled' | 'pulling', key: string): string {
    return join(this.#folder(kind), `sha256-${sha256(key)}`);
  }

  async #write(kind: 'pulled' | 'pulling', key: string, content: object): Promise<void> {
    const file = this.#file(kind, key);
    await writeFile(`${file}.tmp`, JSON.stringify(content), { mode: 0o600 });
    await rename(`${file}.tmp`, file);
  }

  async #read<T>(kind: 'pulled' | 'pulling'): Promise<T[]> {
    const out: T[] = [];
    for (const name of await readdir(this.#folder(kind))) {
      if (!/^sha256-[0-9a-f]{64}$/.test(name)) continue;
      try {
        out.push(JSON.parse(await readFile(join(this.#folder(kind), name), 'utf8')) as T);
      } catch (error) {
        this.logger.warn('a record of a pull cannot be read', { file: name, err: error });
      }
    }
    return out;
  }
}

/** Undefined: nothing is new. */
function merge(old: Credentials | undefined, used: PullCredential | undefined): Credentials | undefined {
  if (old?.nodePodsAccessible) return undefined;
  if (!used) return { nodePodsAccessible: true };
  const own: SecretRecord = { ...used.source, credentialHash: hashOf(used) };
  const secrets = old?.kubernetesSecrets ?? [];
  if (secrets.some((s) => sameSecret(s, used) && s.credentialHash === own.credentialHash)) return undefined;
  return { kubernetesSecrets: [...secrets.filter((s) => !sameSecret(s, used)), own] };
}

const sameSecret = (record: SecretRecord, { source }: PullCredential) =>
  record.uid === source.uid && record.namespace === source.namespace && record.name === source.name;
const hashOf = ({ auth }: PullCredential) => sha256(JSON.stringify(auth));
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

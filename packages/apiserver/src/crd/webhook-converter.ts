import type { KubeObject } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { Random } from '@coxswain/sdk';
import type { VersionConverter } from '../registry/version-converter.js';
import type { StoredObject } from '../storage/stored-object.js';
import type { WebhookClient, WebhookClientConfig } from '../webhooks/webhook-client.js';
import type { Crd } from './json-schema.js';

const TIMEOUT_MS = 30_000;
const never = new AbortController().signal;

/** Converts the objects of a CRD between its versions by asking its webhook. */
export class WebhookConverter implements VersionConverter {
  readonly #ready = new WeakMap<StoredObject, KubeObject>();
  readonly #storageVersion: string;
  readonly #config: WebhookClientConfig;
  readonly #reviewVersion: 'v1' | 'v1beta1';

  constructor(
    readonly crd: Crd,
    readonly apiVersion: string,
    readonly client: WebhookClient,
    readonly random: Random,
  ) {
    const storage = crd.spec.versions.find((version) => version.storage);
    this.#storageVersion = `${crd.spec.group}/${storage?.name ?? ''}`;
    const webhook = crd.spec.conversion?.webhook;
    this.#config = (webhook?.clientConfig ?? {}) as WebhookClientConfig;
    this.#reviewVersion = webhook?.conversionReviewVersions?.find((version): version is 'v1' | 'v1beta1' => version === 'v1' || version === 'v1beta1') ?? 'v1';
  }

  prepare(stored: readonly StoredObject[]): Promise<void> | undefined {
    const missing = stored.filter((each) => each.object.apiVersion !== this.apiVersion && !this.#ready.has(each));
    return missing.length === 0 ? undefined : this.#prepare(missing);
  }

  prepared(stored: StoredObject): KubeObject {
    if (stored.object.apiVersion === this.apiVersion) return stored.object;
    const found = this.#ready.get(stored);
    if (!found) throw new Error(`${stored.namespace}/${stored.name} was not converted to ${this.apiVersion} before it was read`);
    return found;
  }

  toStorage(object: KubeObject): Promise<KubeObject> {
    return this.convert(object, this.#storageVersion);
  }

  async convert(object: KubeObject, apiVersion: string): Promise<KubeObject> {
    if (object.apiVersion === apiVersion) return object;
    return (await this.#ask([object], apiVersion))[0] as KubeObject;
  }

  async #prepare(missing: readonly StoredObject[]): Promise<void> {
    const converted = await this.#ask(
      missing.map(({ object }) => object),
      this.apiVersion,
    );
    missing.forEach((stored, i) => this.#ready.set(stored, converted[i] as KubeObject));
  }

  async #ask(objects: readonly KubeObject[], desiredAPIVersion: string): Promise<KubeObject[]> {
    const kind = this.crd.spec.names.kind;
    const uid = this.random.uuid();
    const review = { kind: 'ConversionReview', apiVersion: `apiextensions.k8s.io/${this.#reviewVersion}`, request: { uid, desiredAPIVersion, objects } };
    try {
      const answer = await this.client.post(this.#config, review, TIMEOUT_MS, never);
      const converted = convertedObjects(answer, uid, objects.length);
      return converted.map((object, i) => checked(object, objects[i] as KubeObject, desiredAPIVersion, kind));
    } catch (error) {
      throw ApiError.of(
        500,
        '',
        `conversion webhook for ${objects[0]?.apiVersion}, Kind=${kind} failed: ${(error as Error).message.replace(/^failed to call webhook: /, '')}`,
        undefined,
        { cause: error },
      );
    }
  }
}

function convertedObjects(answer: unknown, uid: string, count: number): KubeObject[] {
  const response = (answer as { response?: { uid?: string; result?: { status?: string; message?: string }; convertedObjects?: unknown } } | null)?.response;
  if (!response) throw new Error('webhook response was absent');
  if (response.uid !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`);
  if (response.result?.status !== 'Success') throw new Error(response.result?.message || "response.result.status was not 'Success'");
  const objects = response.convertedObjects;
  if (!Array.isArray(objects) || objects.length !== count)
    throw new Error(`webhook returned ${Array.isArray(objects) ? objects.length : 0} objects, expected ${count}`);
  return objects as KubeObject[];
}

/** What a conversion may not change is put back or refused. */
function checked(converted: KubeObject, original: KubeObject, apiVersion: string, kind: string): KubeObject {
  if (typeof converted !== 'object' || converted === null) throw new Error('webhook returned something that is no object');
  if (converted.apiVersion !== apiVersion)
    throw new Error(`invalid converted object: invalid groupVersion (expected ${apiVersion}, received ${converted.apiVersion})`);
  if (converted.kind !== kind) throw new Error(`invalid converted object: invalid kind (expected ${kind}, received ${converted.kind})`);
  const metadata = converted.metadata ?? {};
  for (const key of ['name', 'namespace', 'uid'] as const) {
    if (metadata[key] !== original.metadata[key])
      throw new Error(
        `invalid converted object: metadata.${key} of the original object (${original.metadata[key] ?? ''}) and the converted object (${metadata[key] ?? ''}) must be the same`,
      );
  }
  const { labels, annotations } = metadata;
  const { labels: _labels, annotations: _annotations, ...rest } = original.metadata;
  return { ...converted, metadata: { ...rest, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) } };
}

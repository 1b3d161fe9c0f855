import type { KubeObject, ObjectMetaLike } from '@coxswain/api';
import { ApiError, formatTime } from '@coxswain/apimachinery';
import type { Random } from '@coxswain/sdk';
import { randomNameSuffix } from '@coxswain/sdk';

const MAX_GENERATED_BASE = 58;

/** The namespace of the body must be that of the URL; an absent one is filled in. */
export function checkNamespace(object: KubeObject, namespaced: boolean, namespace: string): void {
  const given = object.metadata.namespace ?? '';
  if (!namespaced) {
    if (given !== '') throw ApiError.badRequest('the namespace of the provided object does not match the namespace sent on the request');
    delete object.metadata.namespace;
    return;
  }
  if (given !== '' && given !== namespace) throw ApiError.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  object.metadata.namespace = namespace;
}

/** Throws 400 unless what is written to a URL says, by its name, that it is meant for that. */
export function checkName(written: string | undefined, name: string): void {
  if (!written) throw ApiError.badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (written !== name) throw ApiError.badRequest(`the name of the object (${written}) does not match the name on the URL (${name})`);
}

/** Fill in what the system owns in a new object. The uid is put in right before the name is final. */
export function fillMeta(object: KubeObject, random: Random, now: number): void {
  const { metadata } = object;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  delete metadata.generation;
  metadata.uid = random.uuid();
  metadata.creationTimestamp = formatTime(now);
}

export function generateName(base: string, random: Random): string {
  return `${base.slice(0, MAX_GENERATED_BASE)}${randomNameSuffix(random)}`;
}

/** On update the system's fields come from the stored object unless the client sends something else, which validation then refuses. */
export function carryMeta(object: KubeObject, old: KubeObject): void {
  const meta = object.metadata;
  const before: ObjectMetaLike = old.metadata;
  if (!meta.uid && before.uid !== undefined) meta.uid = before.uid;
  // A client may send any creation time: only the stored one counts.
  keep(meta, before, 'creationTimestamp');
  keep(meta, before, 'deletionTimestamp');
  keep(meta, before, 'deletionGracePeriodSeconds');
  keep(meta, before, 'generation');
  if (before.generateName !== undefined && !meta.generateName) meta.generateName = before.generateName;
  delete meta.selfLink;
}

function keep<K extends keyof ObjectMetaLike>(meta: ObjectMetaLike, before: ObjectMetaLike, key: K): void {
  if (before[key] === undefined) delete meta[key];
  else meta[key] = before[key];
}

/** Metadata that may be absent or broken in what clients send becomes an object. */
export function ensureMetadata(object: KubeObject): void {
  const { metadata } = object as { metadata?: unknown };
  if (metadata === undefined || metadata === null) object.metadata = {};
}

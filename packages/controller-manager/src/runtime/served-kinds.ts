import type { KubeClient } from '@coxswain/client';
import { discover, type Discovery, resourceId, type ServedResource } from './discovery.js';

/** A resource, and whether it has a scale subresource. */
export interface ServedKind {
  readonly resource: ServedResource;
  readonly scalable: boolean;
}

/** Finds the resource of a kind. Discovery is many requests: what it said once holds as long as it answers the question. */
export class ServedKinds {
  #served: Discovery | undefined;

  constructor(private readonly client: KubeClient) {}

  /** Among resources of one kind the one that can be scaled. */
  async find(group: string, kind: string, signal: AbortSignal): Promise<ServedKind | undefined> {
    const known = this.#look(group, kind);
    if (known) return known;
    this.#served = await discover(this.client, signal);
    return this.#look(group, kind);
  }

  /** A kind may have been taken back and be served by another resource, or have got a scale subresource since. */
  forget(): void {
    this.#served = undefined;
  }

  #look(group: string, kind: string): ServedKind | undefined {
    const served = this.#served;
    const found = (served?.resources ?? [])
      .filter((r) => r.group === group && r.kind === kind)
      .map((resource) => ({ resource, scalable: served?.scalable.has(resourceId(resource)) ?? false }));
    return found.find(({ scalable }) => scalable) ?? found[0];
  }
}

import type { KubeObject, SchemaLookup } from '@coxswain/api';
import { deepEqual } from '@coxswain/apimachinery';
import type { Transport } from '@coxswain/client';
import type { Clock, Logger } from '@coxswain/sdk';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import type { VersionConverter } from '../registry/version-converter.js';
import type { ResourceCache } from '../storage/resource-cache.js';
import { acceptNames } from './accept-names.js';
import { approvalCondition } from './api-approval.js';
import { conditionOf, isTrue, withCondition } from './conditions.js';
import type { Condition } from './conditions.js';
import { CLEANUP_FINALIZER } from './crd-hooks.js';
import { customRegistration } from './custom-registration.js';
import type { RuleCheck } from './custom-strategy.js';
import type { Crd, JsonSchema } from './json-schema.js';

const RETRY_MS = 500;
const CLEANUP_CHECK_MS = 100;

export interface CrdControllerOptions {
  readonly registry: ResourceRegistry;
  /** Of customresourcedefinitions. */
  readonly crds: ResourceCache;
  readonly transport: Transport;
  readonly lookup: SchemaLookup;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly compileRules: (schema: JsonSchema) => RuleCheck | undefined;
  /** For CRDs whose versions a webhook converts. */
  readonly converterFor: (crd: Crd, apiVersion: string) => VersionConverter;
}

/** What of a CRD decides how it is served: while this is the same object content, nothing is done again. */
interface Served {
  readonly spec: unknown;
  readonly names: unknown;
  readonly stored: unknown;
  readonly terminating: boolean;
  readonly versions: readonly string[];
  readonly group: string;
  readonly plural: string;
}

/**
 * Makes CRDs real: accepts their names, serves their versions, and on deletion removes their objects. One key at a time per CRD;
 * a key that fails comes again.
 */
export class CrdController {
  readonly #served = new Map<string, Served>();
  readonly #queue = new Set<string>();
  readonly #abort = new AbortController();
  #working: Promise<void> | undefined;
  #unsubscribe = () => {};

  constructor(readonly options: CrdControllerOptions) {}

  /** Serve what is stored; resolves when that is done. */
  async start(): Promise<void> {
    const { crds } = this.options;
    this.#unsubscribe = crds.onEvent(({ object }) => this.#enqueue(object.name));
    await Promise.all(
      crds
        .all()
        .map(({ name, object }) =>
          this.#serve(name, object as Crd).catch((err: unknown) => this.options.logger.error('a custom resource definition cannot be served', { err, name })),
        ),
    );
    for (const { name } of crds.all()) this.#enqueue(name);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#unsubscribe();
    await this.#working;
  }

  #enqueue(name: string): void {
    this.#queue.add(name);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      if (this.#queue.size > 0 && !this.#abort.signal.aborted) this.#enqueue(this.#queue.values().next().value as string);
    });
  }

  async #work(): Promise<void> {
    // The caches are in the middle of applying the event: begin after that.
    await Promise.resolve();
    while (!this.#abort.signal.aborted) {
      const next = this.#queue.values().next();
      if (next.done) return;
      this.#queue.delete(next.value);
      try {
        await this.#sync(next.value);
      } catch (err) {
        if (this.#abort.signal.aborted) return;
        this.options.logger.warn('a custom resource definition was not processed; trying again', { err, name: next.value });
        this.#later(next.value, RETRY_MS);
      }
    }
  }

  #later(name: string, ms: number): void {
    this.options.clock.setTimeout(() => {
      if (!this.#abort.signal.aborted) this.#enqueue(name);
    }, ms);
  }

  async #sync(name: string): Promise<void> {
    const { crds, clock } = this.options;
    const crd = crds.get('', name)?.object as Crd | undefined;
    if (!crd) {
      const served = this.#served.get(name);
      if (!served) return;
      this.#withdraw(name, served);
      this.#others(name, served.group);
      return;
    }
    if (crd.metadata.deletionTimestamp === undefined) {
      const others = this.#group(crd.spec.group).filter((each) => each.metadata.name !== name);
      const decision = acceptNames(crd, others, clock.now());
      const approval = approvalCondition(crd);
      const conditions = approval ? withCondition(decision.conditions, approval, clock.now()) : decision.conditions;
      const changed = !deepEqual(decision.acceptedNames, crd.status?.acceptedNames) || !deepEqual(conditions, crd.status?.conditions);
      if (changed) {
        const next: Crd = { ...crd, status: { ...crd.status, acceptedNames: decision.acceptedNames, conditions } as NonNullable<Crd['status']> };
        // Served before anybody is told so.
        await this.#serve(name, next);
        await this.#writeStatus(crd, { acceptedNames: decision.acceptedNames, conditions });
        this.#others(name, crd.spec.group);
        return;
      }
    }
    await this.#serve(name, crd);
    if (crd.metadata.deletionTimestamp !== undefined && crd.metadata.finalizers?.includes(CLEANUP_FINALIZER)) await this.#cleanUp(crd);
  }

  #group(group: string): Crd[] {
    return this.options.crds
      .all()
      .map(({ object }) => object as Crd)
      .filter(({ spec }) => spec.group === group);
  }

  /** Names may have become free. */
  #others(name: string, group: string): void {
    for (const each of this.#group(group)) {
      const other = each.metadata.name as string;
      if (other !== name && !isTrue(each, 'NamesAccepted')) this.#enqueue(other);
    }
  }

  async #serve(name: string, crd: Crd): Promise<void> {
    const { registry, lookup, compileRules } = this.options;
    const before = this.#served.get(name);
    if (!isTrue(crd, 'Established')) {
      if (before) this.#withdraw(name, before);
      return;
    }
    const { group } = crd.spec;
    const plural = crd.status?.acceptedNames?.plural ?? crd.spec.names.plural;
    const state: Served = {
      spec: crd.spec,
      names: crd.status?.acceptedNames,
      stored: crd.status?.storedVersions,
      terminating: crd.metadata.deletionTimestamp !== undefined,
      versions: crd.spec.versions.filter((version) => version.served).map((version) => version.name),
      group,
      plural,
    };
    if (before && deepEqual(before, state)) return;
    for (const version of before?.versions ?? []) if (!state.versions.includes(version)) registry.remove(group, version, plural);
    for (const version of crd.spec.versions) {
      if (!version.served) continue;
      const registration = customRegistration(crd, version, lookup, compileRules, this.options.converterFor);
      if (registry.find(group, version.name, plural)) registry.replace(registration);
      else await registry.add(registration);
    }
    this.#relate(group, plural, state.versions);
    this.#served.set(name, state);
    // Watchers of the old form come back and see the new one.
    if (before) registry.findGroupResource(group, plural)?.storage?.cache.groups.end();
  }

  /** Fields managed in one version are looked at in another: without conversion they are the same fields. */
  #relate(group: string, plural: string, versions: readonly string[]): void {
    const all = versions.flatMap((version) => this.options.registry.find(group, version, plural) ?? []);
    if (all.length < 2 || all.some((served) => served.converter)) return;
    for (const served of all) {
      served.siblings = (object, apiVersion) => {
        const other = all.find((each) => each.codec.apiVersion === apiVersion);
        return other ? { object: { ...object, apiVersion }, schema: other.schema } : undefined;
      };
    }
  }

  #withdraw(name: string, { group, plural, versions }: Served): void {
    const { registry } = this.options;
    registry.findGroupResource(group, plural)?.storage?.cache.groups.end();
    for (const version of versions) registry.remove(group, version, plural);
    this.#served.delete(name);
  }

  /** Remove all objects of a CRD that is being deleted, then let it go. */
  async #cleanUp(crd: Crd): Promise<void> {
    const name = crd.metadata.name as string;
    const { clock } = this.options;
    const conditions = (crd.status?.conditions ?? []) as Condition[];
    if (conditionOf(crd, 'Terminating')?.reason !== 'InstanceDeletionInProgress') {
      const condition = { type: 'Terminating', status: 'True', reason: 'InstanceDeletionInProgress', message: 'CustomResource deletion is in progress' };
      await this.#writeStatus(crd, { conditions: withCondition(conditions, condition, clock.now()) });
      return;
    }
    const served = this.options.registry.findGroupResource(crd.spec.group, crd.status?.acceptedNames?.plural ?? crd.spec.names.plural);
    const cache = served?.storage?.cache;
    if (served && cache && cache.size > 0) {
      const { group, version, resource, namespaced } = served.definition;
      for (const namespace of cache.namespaces()) {
        if (cache.countInNamespace(namespace) === 0) continue;
        const path = `/apis/${group}/${version}/${namespaced ? `namespaces/${namespace}/` : ''}${resource}`;
        await this.#request('DELETE', path, undefined);
      }
      // Finalizers of the objects may take their time.
      if (cache.size > 0) return this.#later(name, CLEANUP_CHECK_MS);
    }
    const finished = withCondition(
      conditions,
      { type: 'Terminating', status: 'False', reason: 'InstanceDeletionCompleted', message: 'removed all instances' },
      clock.now(),
    );
    await this.#writeStatus(crd, { conditions: finished });
    const finalizers = (crd.metadata.finalizers ?? []).filter((finalizer) => finalizer !== CLEANUP_FINALIZER);
    await this.#request('PATCH', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`, { metadata: { finalizers } });
  }

  #writeStatus(crd: Crd, status: object): Promise<void> {
    const { name, resourceVersion } = crd.metadata;
    return this.#request('PATCH', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}/status`, { metadata: { resourceVersion }, status });
  }

  async #request(method: 'PATCH' | 'DELETE', path: string, body: object | undefined): Promise<void> {
    const headers = { 'user-agent': 'apiextensions-controller', ...(body ? { 'content-type': 'application/merge-patch+json' } : {}) };
    const response = await this.options.transport.request({ method, path, headers, body: body ? JSON.stringify(body) : undefined, signal: this.#abort.signal });
    // Gone or changed in between: the event of that brings it back.
    if (response.status < 400 || response.status === 404 || response.status === 409) return;
    throw new Error(`${method} ${path}: ${(response.object as KubeObject | undefined)?.message ?? response.body.toString()}`);
  }
}

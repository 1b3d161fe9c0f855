import { join } from 'node:path';
import type { Node } from '@coxswain/api';
import type { InstanceAddress, InstanceMetadata, Instances } from '@coxswain/sdk';
import { JsonFolder } from './registry/json-folder.js';

/** A machine of the local cloud: a host of the cluster. One file each in `<cloud folder>/instances`, named after the node. */
export interface LocalInstance {
  /** The name of its node. */
  readonly name: string;
  /** Default `host`. */
  readonly type?: string;
  readonly addresses: readonly InstanceAddress[];
  /** Default `running`. A stopped machine keeps its node, with a taint. */
  readonly state?: 'running' | 'stopped';
  readonly zone?: string;
  readonly region?: string;
}

/** The record of a cluster's hosts, for whoever adds and removes them. A host is there as long as its file is. */
export class InstanceRegistry {
  readonly #folder: JsonFolder<LocalInstance>;

  /** `cloudFolder`: the folder the cloud keeps its records in. */
  constructor(cloudFolder: string) {
    this.#folder = new JsonFolder(join(cloudFolder, 'instances'), parseInstance);
  }

  get(name: string): Promise<LocalInstance | undefined> {
    return this.#folder.get(name);
  }

  async list(): Promise<LocalInstance[]> {
    return (await this.#folder.list()).map(({ value }) => value);
  }

  /** Adds the host, or replaces what is known of it. */
  async save(instance: LocalInstance): Promise<void> {
    await this.#folder.put(instance.name, parseInstance(instance));
  }

  /** The host is gone; idempotent. Its node goes once it is not ready any more. */
  remove(name: string): Promise<void> {
    return this.#folder.remove(name);
  }
}

export class LocalInstances implements Instances {
  /** `scheme`: of provider ids. */
  constructor(
    private readonly registry: InstanceRegistry,
    private readonly scheme: string,
  ) {}

  async exists(node: Node): Promise<boolean> {
    return (await this.#of(node)) !== undefined;
  }

  async isShutdown(node: Node): Promise<boolean> {
    return (await this.#of(node))?.state === 'stopped';
  }

  async metadata(node: Node): Promise<InstanceMetadata | undefined> {
    const found = await this.#of(node);
    if (!found) return undefined;
    const { name, type = 'host', addresses, zone, region } = found;
    return { providerId: `${this.scheme}://${name}`, instanceType: type, addresses, ...(zone && { zone }), ...(region && { region }) };
  }

  async #of(node: Node): Promise<LocalInstance | undefined> {
    const prefix = `${this.scheme}://`;
    const id = node.spec?.providerID;
    // Somebody else's machine is none of ours, whatever its name.
    if (id && !id.startsWith(prefix)) return undefined;
    return this.registry.get(id ? id.slice(prefix.length) : (node.metadata.name ?? ''));
  }
}

const TYPES = new Set(['Hostname', 'InternalIP', 'ExternalIP', 'InternalDNS', 'ExternalDNS']);

function parseInstance(value: unknown): LocalInstance {
  const it = value as Partial<LocalInstance> | null;
  if (typeof it !== 'object' || it === null) throw new Error('an instance is a JSON object');
  if (typeof it.name !== 'string' || it.name === '') throw new Error('name: must be the name of the node');
  if (!Array.isArray(it.addresses) || it.addresses.some((a: InstanceAddress) => !TYPES.has(a?.type) || typeof a.address !== 'string'))
    throw new Error(`addresses: must be a list of { type, address }, type one of ${[...TYPES].join(', ')}`);
  if (it.state !== undefined && it.state !== 'running' && it.state !== 'stopped') throw new Error(`state: must be running or stopped, not ${String(it.state)}`);
  return it as LocalInstance;
}

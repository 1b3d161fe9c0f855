import type { Device, Node, NodeSelector, ResourceSlice } from '@coxswain/api';
import { compileNodeSelector } from '../plugins/node-selector.js';

export interface PoolDevice {
  /** `driver/pool/device` */
  readonly id: string;
  readonly driver: string;
  readonly device: Device;
  readonly slice: ResourceSlice;
  readonly pool: Pool;
}

/** Slices of the newest generation that a driver has published of a pool. */
export interface Pool {
  /** `driver/pool` */
  readonly id: string;
  readonly slices: readonly ResourceSlice[];
  /** Not all slices of the generation are there yet. */
  readonly incomplete: boolean;
  /** A device name comes twice. */
  readonly invalid: boolean;
}

/** What a node can reach of the pools, in a fixed order. */
export interface NodeDevices {
  readonly pools: readonly Pool[];
  /** Those of pools that are neither incomplete nor invalid. */
  readonly devices: readonly PoolDevice[];
}

/** All pools, grouped once for all nodes. */
export class Pools {
  readonly #local = new Map<string, Pool[]>();
  readonly #shared: Pool[] = [];

  constructor(slices: Iterable<ResourceSlice>) {
    const newest = new Map<string, ResourceSlice[]>();
    for (const slice of slices) {
      const id = `${slice.spec.driver}/${slice.spec.pool.name}`;
      const known = newest.get(id);
      const age = known ? slice.spec.pool.generation - (known[0] as ResourceSlice).spec.pool.generation : 1;
      if (age > 0) newest.set(id, [slice]);
      else if (age === 0) known?.push(slice);
    }
    for (const id of [...newest.keys()].sort()) {
      const of = [...(newest.get(id) as ResourceSlice[])].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
      const names = of.flatMap(({ spec }) => (spec.devices ?? []).map((d) => d.name));
      const incomplete = of.length !== of[0]?.spec.pool.resourceSliceCount;
      const pool: Pool = { id, slices: of, incomplete, invalid: new Set(names).size !== names.length };
      const nodes = new Set(of.map(({ spec }) => spec.nodeName ?? ''));
      const [only] = nodes;
      if (nodes.size === 1 && only) {
        const there = this.#local.get(only);
        if (there) there.push(pool);
        else this.#local.set(only, [pool]);
      } else this.#shared.push(pool);
    }
  }

  on(node: Node): NodeDevices {
    const pools: Pool[] = [];
    const devices: PoolDevice[] = [];
    for (const pool of [...(this.#local.get(node.metadata.name ?? '') ?? []), ...this.#shared]) {
      const reachable = pool.slices.flatMap((slice) => devicesOf(pool, slice, node));
      if (reachable.length === 0) continue;
      pools.push(pool);
      if (!pool.incomplete && !pool.invalid) devices.push(...reachable);
    }
    // What is good at once comes before what somebody has to make ready.
    const waits = ({ device }: PoolDevice) => Number((device.bindingConditions?.length ?? 0) > 0);
    return { pools, devices: devices.some(waits) ? devices.sort((a, b) => waits(a) - waits(b)) : devices };
  }
}

export const deviceId = (driver: string, pool: string, device: string): string => `${driver}/${pool}/${device}`;

function devicesOf(pool: Pool, slice: ResourceSlice, node: Node): PoolDevice[] {
  const { driver, devices = [], perDeviceNodeSelection } = slice.spec;
  if (!perDeviceNodeSelection && !reaches(slice.spec, node)) return [];
  const here = perDeviceNodeSelection ? devices.filter((device) => reaches(device, node)) : devices;
  return here.map((device) => ({ id: deviceId(driver, slice.spec.pool.name, device.name), driver, device, slice, pool }));
}

interface Reach {
  readonly nodeName?: string;
  readonly allNodes?: boolean;
  readonly nodeSelector?: NodeSelector;
}

const compiled = new WeakMap<NodeSelector, (node: Node) => boolean>();

function reaches({ nodeName, allNodes, nodeSelector }: Reach, node: Node): boolean {
  if (nodeName) return nodeName === node.metadata.name;
  if (allNodes) return true;
  if (!nodeSelector) return false;
  let matches = compiled.get(nodeSelector);
  if (!matches) compiled.set(nodeSelector, (matches = compileNodeSelector(nodeSelector)));
  return matches(node);
}

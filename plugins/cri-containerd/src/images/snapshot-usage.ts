import { type LayerUsage, LayersUsage, sumOfLayers } from '@coxswain/cri-runtime';
import type { Containerd } from '../containerd/client.js';
import { Kind } from '../generated/containerd/services/snapshots/v1/snapshots_pb.js';

/** What all snapshots of a snapshotter take: those of images, and those that containers write to. */
export class SnapshotUsage {
  readonly #layers: LayersUsage;

  constructor(
    private readonly containerd: Containerd,
    private readonly snapshotter: string,
    private readonly usageOf: (key: string) => Promise<LayerUsage | undefined>,
  ) {
    this.#layers = new LayersUsage(usageOf);
  }

  async read(): Promise<{ images: LayerUsage; containers: LayerUsage }> {
    const [committed, written]: [string[], string[]] = [[], []];
    for await (const { info } of this.containerd.snapshots.list({ snapshotter: this.snapshotter }))
      for (const { name, kind } of info) (kind === Kind.COMMITTED ? committed : written).push(name);
    const [images, containers] = await Promise.all([this.#layers.of(committed), Promise.all(written.map((name) => this.usageOf(name)))]);
    return { images, containers: sumOfLayers(containers) };
  }
}

import type { LayerUsage } from './stats.js';

/** All together. Pure. */
export function sumOfLayers(layers: readonly (LayerUsage | undefined)[]): LayerUsage {
  return layers.reduce<LayerUsage>((sum, layer) => ({ size: sum.size + (layer?.size ?? 0n), inodes: sum.inodes + (layer?.inodes ?? 0n) }), {
    size: 0n,
    inodes: 0n,
  });
}

/** What read-only layers take: each is looked at once, since it does not change. */
export class LayersUsage {
  #known = new Map<string, Promise<LayerUsage | undefined>>();

  constructor(private readonly measure: (layer: string) => Promise<LayerUsage | undefined>) {}

  /** Of these layers together; what is known of others is forgotten. */
  async of(layers: readonly string[]): Promise<LayerUsage> {
    const known = this.#known;
    this.#known = new Map(layers.map((layer) => [layer, known.get(layer) ?? this.measure(layer)]));
    const settled = await Promise.allSettled(this.#known.values());
    return sumOfLayers(settled.map((s) => (s.status === 'fulfilled' ? s.value : undefined)));
  }
}

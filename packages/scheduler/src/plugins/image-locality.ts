import { skip, success, type SchedulerPlugin } from '@coxswain/sdk';
import type { ClusterView } from '../framework/handle.js';
import { MAX_NODE_SCORE } from './normalize.js';

const MB = 1024 * 1024;
const MIN = 23 * MB;
const MAX_PER_CONTAINER = 1000 * MB;

/** `busybox` is listed as `busybox:latest`. */
const normalizedName = (image: string): string => (image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image);

/** Nodes that have (large parts of) the pod's images are better; images that few nodes have count less, so as not to make heaps. */
export const imageLocality = (view: ClusterView): SchedulerPlugin => ({
  name: 'ImageLocality',
  preScore(_state, pod) {
    // On no node, it makes none better.
    const snapshot = view.snapshot();
    return pod.spec?.containers.some((c) => snapshot.imageNodes(normalizedName(c.image ?? '')) > 0) ? success : skip;
  },
  score(_state, pod, node) {
    if (node.images.size === 0) return 0;
    const containers = pod.spec?.containers ?? [];
    const snapshot = view.snapshot();
    let sum = 0;
    for (const c of containers) {
      const image = normalizedName(c.image ?? '');
      const size = node.images.get(image);
      if (size) sum += Math.floor((size * snapshot.imageNodes(image)) / snapshot.nodes.length);
    }
    const max = MAX_PER_CONTAINER * containers.length;
    return Math.floor((MAX_NODE_SCORE * (Math.min(Math.max(sum, MIN), max) - MIN)) / (max - MIN));
  },
});

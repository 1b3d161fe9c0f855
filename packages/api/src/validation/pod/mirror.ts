import type { Pod } from '../../generated/types.js';

export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** A pod that shows what runs by a file of the node's. */
export const isMirror = ({ metadata }: Pick<Pod, 'metadata'>): boolean => metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined;

import { join } from 'node:path';
import { CriError, type Mount } from '@coxswain/cri';
import type { SpecMount } from '@coxswain/oci';
import { resolveInRootfs } from './rootfs-files.js';

/** The mount of a volume that is an image, whose root file system is at `target`. */
export async function imageVolumeMount(target: string, wanted: Mount): Promise<SpecMount> {
  // Links in the image lead into the image, not to what this machine has there.
  const inside = await resolveInRootfs([target], wanted.imageSubPath);
  if (inside === undefined) throw new CriError('invalidArgument', `image ${wanted.image?.image} has no path ${JSON.stringify(wanted.imageSubPath)}`);
  return { destination: wanted.containerPath, type: 'bind', source: join(target, inside), options: ['rbind', 'rprivate', 'ro'] };
}

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container, Pod } from '@coxswain/api';
import { MountPropagation } from '@coxswain/cri';
import type { Paths } from '../paths.js';
import { podId } from '../pod/pod-spec.js';
import { ContainerConfigError } from '../render/config-error.js';
import type { MountInit } from '../render/container-config.js';
import { expand } from '../render/expand.js';
import { mountSubPath } from './sub-path.js';
import type { MountedVolume } from './volume-manager.js';

export interface ContainerMountsInput {
  readonly paths: Paths;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** The managed /etc/hosts; absent when the pod brings its own or has no network of ours. */
  readonly hostsPath?: string;
  readonly restartCount: number;
  /** False: a sub-path is given to the runtime as it is, below its volume. Default true. */
  readonly mountVolumes?: boolean;
}

const PROPAGATION: Readonly<Record<string, MountPropagation>> = {
  None: MountPropagation.PROPAGATION_PRIVATE,
  HostToContainer: MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  Bidirectional: MountPropagation.PROPAGATION_BIDIRECTIONAL,
};

/** What is mounted into a container: its volume mounts, /etc/hosts, and the file for its last words. */
export async function containerMounts(pod: Pod, container: Container, input: ContainerMountsInput): Promise<MountInit[]> {
  const { uid } = podId(pod);
  const out: MountInit[] = [];
  const values = new Map(input.env.map((e) => [e.name, e.value]));
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = input.volumes.get(mount.name);
    if (!volume || volume.device !== undefined)
      throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    const spec = pod.spec?.volumes?.find((v) => v.name === mount.name);
    if (mount.mountPropagation === 'Bidirectional' && !container.securityContext?.privileged)
      throw new ContainerConfigError('Bidirectional mount propagation is available only to privileged containers');
    const readOnly = mount.readOnly === true || (volume.readOnly && !spec?.image);
    const containerPath = mount.mountPath.startsWith('/') ? mount.mountPath : join('/', mount.mountPath);
    if (volume.image !== undefined) {
      out.push({ containerPath, readonly: true, image: { image: volume.image, userSpecifiedImage: volume.image }, imageSubPath: mount.subPath ?? '' });
      continue;
    }
    let subPath = mount.subPath ?? '';
    if (mount.subPathExpr) {
      const missing = new Set<string>();
      subPath = expand(mount.subPathExpr, (name) => {
        const value = values.get(name) ?? '';
        if (value === '') missing.add(name);
        return value;
      });
      if (missing.size > 0) throw new ContainerConfigError(`missing value for ${[...missing].sort().join(', ')}`);
      if (subPath.startsWith('/') || subPath.split('/').includes('..'))
        throw new ContainerConfigError(`subPath "${subPath}" must be a relative path without '..'`);
    }
    let hostPath = volume.path as string;
    if (subPath && input.mountVolumes === false) {
      hostPath = join(hostPath, subPath);
      await mkdir(hostPath, { recursive: true });
    } else if (subPath) {
      const target = input.paths.subPath(uid, mount.name, container.name, index);
      try {
        await mountSubPath(hostPath, subPath, target);
      } catch (error) {
        throw new ContainerConfigError(
          `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}": ${(error as Error).message}`,
        );
      }
      hostPath = target;
    }
    out.push({
      containerPath,
      hostPath,
      readonly: readOnly,
      propagation: PROPAGATION[mount.mountPropagation ?? 'None'] ?? MountPropagation.PROPAGATION_PRIVATE,
    });
  }
  if (input.hostsPath && !container.volumeMounts?.some((m) => m.mountPath === '/etc/hosts')) {
    out.push({ containerPath: '/etc/hosts', hostPath: input.hostsPath, readonly: container.securityContext?.readOnlyRootFilesystem ?? false });
  }
  const messagePath = container.terminationMessagePath ?? '/dev/termination-log';
  if (messagePath) {
    const dir = input.paths.container(uid, container.name);
    await mkdir(dir, { recursive: true, mode: 0o750 });
    const hostPath = join(dir, String(input.restartCount));
    await writeFile(hostPath, '');
    await chmod(hostPath, 0o666);
    out.push({ containerPath: messagePath, hostPath });
  }
  return out;
}

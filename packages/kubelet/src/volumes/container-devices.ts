import type { Container } from '@coxswain/api';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DeviceSchema } from '@coxswain/cri';
import { ContainerConfigError } from '../render/config-error.js';
import type { MountedVolume } from './volume-manager.js';

/** The block volumes a container has as devices. */
export function containerDevices(container: Container, volumes: ReadonlyMap<string, MountedVolume>): MessageInitShape<typeof DeviceSchema>[] {
  return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
    const volume = volumes.get(name);
    if (volume?.device === undefined) throw new ContainerConfigError(`cannot find block volume "${name}" to map into container "${container.name}"`);
    return { containerPath: devicePath, hostPath: volume.device, permissions: volume.readOnly ? 'r' : 'mrw' };
  });
}

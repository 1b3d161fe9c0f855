import type { Container, Volume, VolumeMount } from '../../generated/types.js';
import { forbidden, invalid, notFound, notSupported, required } from '../errors.js';
import { addDescendingPath } from '../paths.js';
import type { Sink } from '../sink.js';

type Mounting = Pick<Container, 'volumeMounts' | 'volumeDevices' | 'securityContext'>;

/** Upstream names the list, not the mount, where a sub-path, a propagation or a recursive read-only is wrong. */
export function addMounts(sink: Sink, field: string, { volumeMounts, volumeDevices, securityContext }: Mounting, volumes: ReadonlyMap<string, Volume>): void {
  if (!volumeMounts) return;
  const paths = new Set<string>();
  for (const [index, mount] of volumeMounts.entries()) {
    const { name, mountPath, subPath, subPathExpr, mountPropagation: propagation } = mount;
    const at = `${field}[${index}]`;
    if (!name) sink.push(required(`${at}.name`));
    if (!volumes.has(name)) sink.push(notFound(`${at}.name`, name ?? ''));
    if (!mountPath) sink.push(required(`${at}.mountPath`));
    if (paths.has(mountPath)) sink.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    if (volumeDevices?.some((device) => device.name === name)) sink.push(invalid(`${at}.name`, name, 'must not already exist in volumeDevices'));
    if (volumeDevices?.some(({ devicePath }) => devicePath === mountPath)) {
      sink.push(invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
    }
    if (subPath) addDescendingPath(sink, `${field}.subPath`, subPath);
    if (subPathExpr) {
      if (subPath) sink.push(invalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
      addDescendingPath(sink, `${field}.subPathExpr`, subPathExpr);
    }
    if (propagation !== undefined) addPropagation(sink, `${field}.mountPropagation`, propagation, securityContext?.privileged === true);
    if (mount.recursiveReadOnly !== undefined) addRecursiveReadOnly(sink, `${field}.recursiveReadOnly`, mount);
  }
}

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];

function addPropagation(sink: Sink, field: string, propagation: string, privileged: boolean): void {
  if (!PROPAGATIONS.includes(propagation)) sink.push(notSupported(field, propagation, PROPAGATIONS));
  if (propagation === 'Bidirectional' && !privileged) {
    sink.push(forbidden(field, 'Bidirectional mount propagation is available only to privileged containers'));
  }
}

function addRecursiveReadOnly(sink: Sink, field: string, { recursiveReadOnly, readOnly, mountPropagation }: VolumeMount): void {
  if (recursiveReadOnly === 'Disabled') return;
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') {
    return void sink.push(notSupported(field, recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible']));
  }
  if (!readOnly) sink.push(forbidden(field, 'may only be specified when readOnly is true'));
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    sink.push(forbidden(field, 'may only be specified when mountPropagation is None or not specified'));
  }
}

export function addDevices(sink: Sink, field: string, { volumeMounts, volumeDevices }: Mounting, volumes: ReadonlyMap<string, Volume>): void {
  if (!volumeDevices) return;
  const paths = new Set<string>();
  const names = new Set<string>();
  for (const [index, { name, devicePath }] of volumeDevices.entries()) {
    const at = `${field}[${index}]`;
    const volume = volumes.get(name);
    if (!name) sink.push(required(`${at}.name`));
    if (names.has(name)) sink.push(invalid(`${at}.name`, name, 'must be unique'));
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      sink.push(invalid(`${at}.name`, name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'));
    }
    if (!volume) sink.push(notFound(`${at}.name`, name ?? ''));
    if (!devicePath) sink.push(required(`${at}.devicePath`));
    if (paths.has(devicePath)) sink.push(invalid(`${at}.devicePath`, devicePath, 'must be unique'));
    if (devicePath?.split('/').includes('..')) sink.push(invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    else paths.add(devicePath);
    if (volumeMounts?.some((mount) => mount.name === name)) sink.push(invalid(`${at}.name`, name, 'must not already exist in volumeMounts'));
    if (volumeMounts?.some(({ mountPath }) => mountPath === devicePath)) {
      sink.push(invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
    }
    if (name) names.add(name);
  }
}

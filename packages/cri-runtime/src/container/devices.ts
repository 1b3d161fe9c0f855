import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CriError, type Device } from '@coxswain/cri';
import type { SpecDevice, SpecDeviceRule } from '@coxswain/oci';

/** What a container may use besides its own devices: null, zero, full, random, urandom, tty, console, ptys. */
export const DEFAULT_DEVICE_RULES: readonly SpecDeviceRule[] = [
  { allow: false, access: 'rwm' },
  ...(
    [
      [1, 3],
      [1, 8],
      [1, 7],
      [5, 0],
      [1, 5],
      [1, 9],
      [5, 1],
    ] as const
  ).map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
];

/** Node gives `rdev` in glibc's encoding. */
const major = (rdev: number) => Number(((BigInt(rdev) >> 8n) & 0xfffn) | ((BigInt(rdev) >> 32n) & ~0xfffn));
const minor = (rdev: number) => Number((BigInt(rdev) & 0xffn) | ((BigInt(rdev) >> 12n) & ~0xffn));

async function deviceAt(hostPath: string, containerPath: string): Promise<SpecDevice | undefined> {
  const s = await stat(hostPath);
  const type = s.isCharacterDevice() ? 'c' : s.isBlockDevice() ? 'b' : undefined;
  if (!type) return undefined;
  return { type, path: containerPath, major: major(s.rdev), minor: minor(s.rdev), fileMode: s.mode & 0o777, uid: s.uid, gid: s.gid };
}

/** The devices a container asks for; a folder gives all devices in it. */
export async function convertDevices(devices: readonly Device[]): Promise<{ devices: SpecDevice[]; rules: SpecDeviceRule[] }> {
  const out: SpecDevice[] = [];
  const rules: SpecDeviceRule[] = [];
  const add = (device: SpecDevice, access: string) => {
    out.push(device);
    rules.push({ allow: true, type: device.type, major: device.major as number, minor: device.minor as number, access });
  };
  for (const { hostPath, containerPath, permissions } of devices) {
    if (!/^[rwm]*$/.test(permissions))
      throw new CriError('invalidArgument', `the device ${hostPath} has permissions ${JSON.stringify(permissions)}: only r, w and m can be given`);
    let path: string;
    try {
      path = await realpath(hostPath);
    } catch (cause) {
      throw new CriError('unknown', `lstat ${hostPath}: no such file or directory`, { cause });
    }
    const access = permissions || 'rwm';
    const device = await deviceAt(path, containerPath || hostPath);
    if (device) add(device, access);
    else {
      for (const name of await readdir(path)) {
        const inner = await deviceAt(join(path, name), join(containerPath || hostPath, name)).catch(() => undefined);
        if (inner) add(inner, access);
      }
    }
  }
  return { devices: out, rules };
}

/** Every device node of the host, for privileged containers. */
export async function hostDevices(dir = '/dev'): Promise<SpecDevice[]> {
  const out: SpecDevice[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      if (!['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev'].includes(entry.name)) out.push(...(await hostDevices(path)));
    } else if ((entry.isCharacterDevice() || entry.isBlockDevice()) && entry.name !== 'console') {
      const device = await deviceAt(path, path).catch(() => undefined);
      if (device) out.push(device);
    }
  }
  return out;
}

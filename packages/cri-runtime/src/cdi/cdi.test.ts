import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, fromJson, toJson } from '@bufbuild/protobuf';
import { ContainerConfigSchema } from '@coxswain/cri';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cdiEdits } from './cdi-devices.js';
import { beyondConfig, configWithCdi, injectCdi } from './inject-cdi.js';

let root: string;
let folders: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cdi-'));
  folders = [join(root, 'etc'), join(root, 'run')];
  for (const folder of folders) await mkdir(folder);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const spec = (devices: object[], more: object = {}) => ({ cdiVersion: '0.6.0', kind: 'example.com/led', devices, ...more });
const write = (folder: 0 | 1, name: string, content: object | string) =>
  writeFile(join(folders[folder] as string, name), typeof content === 'string' ? content : JSON.stringify(content));
const device = (name: string, containerEdits: object) => ({ name, containerEdits });

it('reads JSON and YAML, and takes what is common once', async () => {
  await write(
    0,
    'led.yaml',
    'cdiVersion: 0.6.0\nkind: example.com/led\ncontainerEdits: { env: [LEDS=1] }\ndevices:\n  - { name: red, containerEdits: { env: [RED=yes] } }\n  - { name: blue, containerEdits: { env: ["BLUE=a=b"] } }\n',
  );
  expect((await cdiEdits(['example.com/led=red', 'example.com/led=blue'], folders)).env).toEqual(['LEDS=1', 'RED=yes', 'BLUE=a=b']);
});

it('what is in the later folder hides the earlier; two files of one folder are a conflict', async () => {
  await write(0, 'a.json', spec([device('red', { env: ['FROM=etc'] })]));
  await write(1, 'b.json', spec([device('red', { env: ['FROM=run'] })]));
  expect((await cdiEdits(['example.com/led=red'], folders)).env).toEqual(['FROM=run']);
  await write(1, 'c.json', spec([device('red', { env: ['FROM=c'] })]));
  await expect(cdiEdits(['example.com/led=red'], folders)).rejects.toThrow('device "example.com/led=red" is described by several files');
});

it.each([
  ['{', /a\.json: .*/],
  [spec([device('red', { netDevices: [] })]), 'devices[0].containerEdits.netDevices is not supported'],
  [spec([device('red', { intelRdt: {} })]), 'devices[0].containerEdits.intelRdt is not supported'],
  [spec([device('red', { env: ['x'] })]), 'devices[0].containerEdits.env[0] is not NAME=value'],
  [spec([device('red', { mounts: [{ hostPath: 'x', containerPath: '/x' }] })]), 'devices[0].containerEdits.mounts[0].hostPath "x" is not an absolute path'],
  [spec([device('red', { deviceNodes: [{ path: '/dev/x', permissions: 'all' }] })]), 'permissions "all" are not of r, w and m'],
  [spec([device('red', { hooks: [{ hookName: 'later', path: '/x' }] })]), 'hookName "later" is none of'],
  [{ ...spec([]), cdiVersion: '2.0.0' }, 'cdiVersion "2.0.0" is none from 0.3.0 to 0.8.0'],
  [{ ...spec([]), kind: 'led' }, 'kind "led" is not vendor/class'],
])('a file that cannot be used is told of where its device is wanted', async (content, message) => {
  await write(0, 'a.json', content);
  await expect(cdiEdits(['example.com/led=red'], folders)).rejects.toThrow(message);
  await expect(cdiEdits(['example.com/led=red'], folders)).rejects.toThrow('is described nowhere in');
});

it('goes into a container’s config, and what CRI has no words for into its specification', async () => {
  await write(
    1,
    'led.json',
    spec([
      device('red', {
        env: ['COLOR=red'],
        deviceNodes: [{ path: '/dev/led', hostPath: '/dev/null', permissions: 'rw', uid: 5, gid: 6, fileMode: 0o600 }],
        mounts: [{ hostPath: '/usr', containerPath: '/led', options: ['ro', 'rbind', 'nosuid', 'rslave'] }],
        additionalGids: [44],
        hooks: [{ hookName: 'createContainer', path: '/bin/hook', args: ['hook', 'x'] }],
      }),
    ]),
  );
  const edits = await cdiEdits(['example.com/led=red'], folders);
  const asked = create(ContainerConfigSchema, {
    envs: [
      { key: 'COLOR', value: Buffer.from('green') },
      { key: 'KEPT', value: Buffer.from('1') },
    ],
    mounts: [{ containerPath: '/led', hostPath: '/other' }],
  });
  const config = configWithCdi(asked, edits);
  expect(config.envs.map((e) => `${e.key}=${Buffer.from(e.value)}`)).toEqual(['KEPT=1', 'COLOR=red']);
  // It is stored, and answered with, as the message it is.
  expect(fromJson(ContainerConfigSchema, toJson(ContainerConfigSchema, config)).envs).toHaveLength(2);
  expect(config.devices).toMatchObject([{ containerPath: '/dev/led', hostPath: '/dev/null', permissions: 'rw' }]);
  expect(config.mounts).toMatchObject([{ containerPath: '/led', hostPath: '/usr', readonly: true, propagation: 1 }]);
  expect(beyondConfig(edits)).toBe('hooks, the owner or mode of a device node, mount options nosuid');
  const made = {
    ociVersion: '1.0.2',
    process: { user: { uid: 0, gid: 0, additionalGids: [44, 10] }, args: [], cwd: '/' },
    mounts: [{ destination: '/led', options: ['rbind', 'ro'] }],
    linux: { devices: [{ type: 'c' as const, path: '/dev/led', fileMode: 0o666, uid: 0, gid: 0 }] },
  };
  injectCdi(made, edits);
  expect(made).toEqual({
    ociVersion: '1.0.2',
    process: { user: { uid: 0, gid: 0, additionalGids: [44, 10] }, args: [], cwd: '/' },
    mounts: [{ destination: '/led', options: ['rbind', 'ro', 'nosuid'] }],
    linux: { devices: [{ type: 'c', path: '/dev/led', fileMode: 0o600, uid: 5, gid: 6 }] },
    hooks: { createContainer: [{ path: '/bin/hook', args: ['hook', 'x'] }] },
  });
});

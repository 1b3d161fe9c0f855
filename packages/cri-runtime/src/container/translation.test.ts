import { create } from '@bufbuild/protobuf';
import { DeviceSchema, LinuxContainerResourcesSchema, Signal, SupplementalGroupsPolicy } from '@coxswain/cri';
import { describe, expect, it } from 'vitest';
import { capabilitiesOfMask, containerCapabilities, DEFAULT_CAPABILITIES } from './capabilities.js';
import { convertDevices } from './devices.js';
import { mergeResources, specResources, specWithLimits } from './resources.js';
import { defaultSeccomp } from './seccomp-default.js';
import { signalNumber, stopSignalEnum, stopSignalOf } from './signals.js';
import { processArgs } from './spec.js';
import { resolveUser } from './user.js';

describe('processArgs', () => {
  const image = { Entrypoint: ['/entry'], Cmd: ['a', 'b'] };
  it.each([
    [[], [], ['/entry', 'a', 'b']],
    [[], ['x'], ['/entry', 'x']],
    [['/cmd'], [], ['/cmd']],
    [['/cmd'], ['x'], ['/cmd', 'x']],
  ])('command %j and args %j give %j', (command, args, expected) => expect(processArgs({ command, args }, image)).toEqual(expected));
  it('refuses to run nothing', () => expect(() => processArgs({ command: [], args: [] }, {})).toThrow(/no command specified/));
});

describe('capabilities', () => {
  const available = capabilitiesOfMask(0x1ffffffffffn);
  const of = (add: string[], drop: string[], privileged = false) => containerCapabilities({ privileged, add, drop, available });
  it('start from the default set', () => expect([...of([], [])].sort()).toEqual([...DEFAULT_CAPABILITIES].sort()));
  it('take names with and without CAP_, in any case', () =>
    expect(of(['net_admin', 'CAP_SYS_TIME'], [])).toEqual(expect.arrayContaining(['CAP_NET_ADMIN', 'CAP_SYS_TIME'])));
  it('drop ALL and add one leaves that one', () => expect(of(['KILL'], ['ALL'])).toEqual(['CAP_KILL']));
  it('add ALL and drop one leaves the rest', () => expect(of(['ALL'], ['KILL'])).toHaveLength(available.length - 1));
  it('privileged has everything this machine gives', () => expect(of([], ['ALL'], true)).toEqual(available));
});

describe('resolveUser', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:2000::/:/bin/sh\n';
  const group = 'root:x:0:\nextra:x:3000:app\nweb:x:33:\n';
  const of = (over: object) => resolveUser({ supplementalGroups: [], policy: SupplementalGroupsPolicy.Merge, imageUser: '', ...over }, passwd, group);
  it('is root by default', () => expect(of({})).toEqual({ uid: 0, gid: 0, additionalGids: [0] }));
  it('takes name and group of the image', () => expect(of({ imageUser: 'app:web' })).toEqual({ uid: 1000, gid: 33, additionalGids: [33, 3000] }));
  it('finds the primary group of a number', () => expect(of({ imageUser: '1000' })).toMatchObject({ gid: 2000 }));
  it('runs unknown numbers with group 0', () => expect(of({ imageUser: '77' })).toEqual({ uid: 77, gid: 0, additionalGids: [0] }));
  it('strict leaves the image groups out', () =>
    expect(of({ uid: 1000, policy: SupplementalGroupsPolicy.Strict, supplementalGroups: [9] })).toEqual({ uid: 1000, gid: 2000, additionalGids: [9, 2000] }));
  it('refuses unknown names, and a group without a user', () => {
    expect(() => of({ imageUser: 'ghost' })).toThrow(/no matching entries in passwd/);
    expect(() => of({ imageUser: 'app:ghosts' })).toThrow(/no matching entries in group/);
    expect(() => of({ gid: 5 })).toThrow(/without user/);
  });
});

describe('resources', () => {
  const linux = (init: object) => create(LinuxContainerResourcesSchema, init);
  it('leave out what is not given', () => expect(specResources(linux({ cpuShares: 2n }), { hugetlb: false, swap: false })).toEqual({ cpu: { shares: 2 } }));
  it('forbid swap beyond the memory limit where the kernel accounts for it', () =>
    expect(specResources(linux({ memoryLimitInBytes: 10n }), { hugetlb: false, swap: true })).toEqual({ memory: { limit: 10, swap: 10 } }));
  it('merge field by field', () =>
    expect(mergeResources(linux({ cpuShares: 2n, cpuQuota: 5n, unified: { a: '1' } }), linux({ cpuQuota: 6n, unified: { b: '2' } }))).toMatchObject({
      cpuShares: 2n,
      cpuQuota: 6n,
      unified: { a: '1', b: '2' },
    }));
});

it('signals: the pod first, then the image, then SIGTERM', () => {
  expect(stopSignalOf(Signal.SIGUSR1, 'SIGQUIT')).toBe(10);
  expect(stopSignalOf(Signal.RUNTIME_DEFAULT, 'QUIT')).toBe(3);
  expect(stopSignalOf(Signal.RUNTIME_DEFAULT, '')).toBe(15);
  expect(stopSignalOf(Signal.SIGRTMINPLUS3, '')).toBe(37);
  expect(['', 'quit', '10', 'SIGRTMIN+3', 'RTMAX-2', 'nonsense'].map((image) => Signal[stopSignalEnum(Signal.RUNTIME_DEFAULT, image)])).toEqual([
    'SIGTERM',
    'SIGQUIT',
    'SIGUSR1',
    'SIGRTMINPLUS3',
    'SIGRTMAXMINUS2',
    'SIGTERM',
  ]);
  expect(stopSignalEnum(Signal.SIGINT, 'QUIT')).toBe(Signal.SIGINT);
  expect([signalNumber('SIGRTMIN+3'), signalNumber('RTMAX-1'), signalNumber('9'), signalNumber('nope')]).toEqual([37, 63, 9, undefined]);
});

it('the default seccomp profile opens mounts to those with CAP_SYS_ADMIN only, and hides clone3 from the others', () => {
  const allows = (caps: string[], call: string) =>
    defaultSeccomp(caps, 'x64').syscalls?.some((s) => s.action === 'SCMP_ACT_ALLOW' && s.args === undefined && s.names.includes(call));
  expect([allows([], 'mount'), allows(['CAP_SYS_ADMIN'], 'mount'), allows([], 'read'), allows([], 'clone')]).toEqual([false, true, true, false]);
  expect(defaultSeccomp([], 'x64').syscalls).toContainEqual({ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 });
});

it('limits of a specification are replaced, its devices stay', () => {
  const devices = [{ allow: false, access: 'rwm' }];
  const spec = { ociVersion: '1.0.2', root: { path: 'rootfs' }, linux: { cgroupsPath: '/x', resources: { devices, cpu: { shares: 2 } } } };
  expect(specWithLimits(spec, { memory: { limit: 7 }, cpu: { quota: -1, shares: 3 } }).linux).toEqual({
    cgroupsPath: '/x',
    resources: { devices, memory: { limit: 7 }, cpu: { shares: 3 } },
  });
});

it('permissions of devices are r, w and m', async () => {
  const device = create(DeviceSchema, { hostPath: '/dev/null', containerPath: '/dev/x', permissions: 'rx' });
  await expect(convertDevices([device])).rejects.toThrow(/only r, w and m/);
});

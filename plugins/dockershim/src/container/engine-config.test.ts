import { create } from '@bufbuild/protobuf';
import { ContainerConfigSchema, NamespaceMode, PodSandboxConfigSchema, SecurityProfile_ProfileType as ProfileType } from '@coxswain/cri';
import type { ContainerMeta } from '@coxswain/cri-runtime';
import type { RuntimeSpec } from '@coxswain/oci';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { type EngineLimits, engineConfig, engineResources } from './engine-config.js';

type ConfigInit = MessageInitShape<typeof ContainerConfigSchema>;
const SANDBOX = 'ab'.repeat(32);
const limits: EngineLimits = { allCapabilities: true, unknownCapabilities: new Set() };

const spec: RuntimeSpec = {
  ociVersion: '1.0.2',
  process: {
    user: { uid: 5, gid: 6, additionalGids: [7] },
    args: ['sh', '-c', 'true'],
    env: ['A=b'],
    cwd: '/w',
    capabilities: { bounding: ['CAP_CHOWN', 'CAP_BPF'] },
  },
  root: { path: 'rootfs', readonly: true },
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/m', type: 'bind', source: '/host', options: ['rbind', 'rslave', 'ro'] },
  ],
  linux: { namespaces: [], maskedPaths: ['/proc/kcore'], readonlyPaths: [], resources: { cpu: { shares: 512 }, memory: { limit: 1024 } } },
};

function engine(config: ConfigInit, over: { spec?: RuntimeSpec; pod?: MessageInitShape<typeof PodSandboxConfigSchema>; limits?: EngineLimits } = {}) {
  const meta: ContainerMeta = {
    id: '',
    sandboxId: SANDBOX,
    config: create(ContainerConfigSchema, { metadata: { name: 'c', attempt: 2 }, linux: {}, ...config } as ConfigInit),
    logPath: '/log/c',
    imageId: 'sha256:1',
    imageRef: '',
    user: { uid: 5, gid: 6, additionalGids: [7] },
    stopSignal: '',
    cgroupsPath: `/kubepods/pod1/${'cd'.repeat(32)}`,
    createdAt: 0n,
  };
  const sandbox = { config: create(PodSandboxConfigSchema, over.pod ?? {}), runtimeHandler: '' };
  return engineConfig({ meta, spec: over.spec ?? spec, sandbox, imageId: 'sha256:1', engine: over.limits ?? limits });
}

describe("a container in the engine's terms", () => {
  test('is what its specification says', () => {
    expect(engine({})).toMatchObject({
      Image: 'sha256:1',
      User: '5:6',
      Env: ['A=b'],
      Entrypoint: ['sh'],
      Cmd: ['-c', 'true'],
      WorkingDir: '/w',
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        NetworkMode: `container:${SANDBOX}`,
        IpcMode: `container:${SANDBOX}`,
        Mounts: [{ Type: 'bind', Source: '/host', Target: '/m', ReadOnly: true, BindOptions: { Propagation: 'rslave' } }],
        CgroupParent: '/kubepods/pod1',
        ReadonlyRootfs: true,
        GroupAdd: ['7'],
        CapDrop: ['ALL'],
        CapAdd: ['CAP_CHOWN', 'CAP_BPF'],
        SecurityOpt: ['seccomp=unconfined'],
        MaskedPaths: ['/proc/kcore'],
        ReadonlyPaths: [],
        CpuShares: 512,
        Memory: 1024,
        MemorySwap: 1024,
      },
    });
  });

  test.each([
    [NamespaceMode.POD, `container:${SANDBOX}`],
    [NamespaceMode.CONTAINER, ''],
    [NamespaceMode.NODE, 'host'],
    [NamespaceMode.TARGET, 'container:other'],
  ])('joins the process namespace of mode %s', (pid, mode) => {
    expect(engine({ linux: { securityContext: { namespaceOptions: { pid, targetId: 'other' } } } }).HostConfig.PidMode).toBe(mode);
  });

  test("is on the host's network when its pod is", () => {
    const pod = { linux: { securityContext: { namespaceOptions: { network: NamespaceMode.NODE, ipc: NamespaceMode.NODE } } } };
    expect(engine({}, { pod }).HostConfig).toMatchObject({ NetworkMode: 'host', IpcMode: 'host' });
  });

  test('is privileged as the engine has it, or by all that the machine has', () => {
    const privileged = { linux: { securityContext: { privileged: true } } };
    expect(engine(privileged).HostConfig.Privileged).toBe(true);
    const less = { allCapabilities: false, unknownCapabilities: new Set(['CAP_BPF']) };
    const config = engine(privileged, {
      limits: less,
      spec: { ...spec, linux: { ...spec.linux, devices: [{ type: 'c', path: '/dev/fuse', major: 10, minor: 229 }] } },
    });
    expect(config.HostConfig.Privileged).toBeUndefined();
    expect(config.HostConfig).toMatchObject({ CapAdd: ['CAP_CHOWN'], DeviceCgroupRules: ['a *:* rwm'], Devices: [{ PathOnHost: '/dev/fuse' }] });
  });

  test('has the default seccomp profile of the engine, and a local one as it is', () => {
    const seccomp = { defaultAction: 'SCMP_ACT_ERRNO' as const, syscalls: [] };
    const withProfile: RuntimeSpec = { ...spec, process: { ...spec.process!, noNewPrivileges: true }, linux: { ...spec.linux, seccomp } };
    const options = (profileType: ProfileType) =>
      engine({ linux: { securityContext: { seccomp: { profileType, localhostRef: '/p' } } } }, { spec: withProfile }).HostConfig.SecurityOpt;
    expect(options(ProfileType.RuntimeDefault)).toEqual(['no-new-privileges']);
    expect(options(ProfileType.Localhost)).toEqual([`seccomp=${JSON.stringify(seccomp)}`, 'no-new-privileges']);
  });

  test('is refused where the engine has no word for what is asked', () => {
    const ambient: RuntimeSpec = { ...spec, process: { ...spec.process!, capabilities: { ambient: ['CAP_CHOWN'] } } };
    expect(() => engine({}, { spec: ambient })).toThrow(/ambient capabilities/);
    const unified: RuntimeSpec = { ...spec, linux: { ...spec.linux, resources: { unified: { 'memory.high': '1' } } } };
    expect(() => engine({}, { spec: unified })).toThrow(/unified/);
  });
});

test('a changed limit names only what changes', () => {
  expect(engineResources({ cpu: { quota: 5000, period: 100000 } })).toEqual({ CpuQuota: 5000, CpuPeriod: 100000 });
  expect(() => engineResources({ unified: { 'memory.high': '1' } })).toThrow(/unified/);
});

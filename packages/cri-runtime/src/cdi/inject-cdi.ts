import { create } from '@bufbuild/protobuf';
import { type ContainerConfig, DeviceSchema, KeyValueSchema, type Mount, MountPropagation, MountSchema } from '@coxswain/cri';
import type { RuntimeSpec, SpecMount } from '@coxswain/oci';
import type { CdiEdits, CdiMount } from './cdi-spec.js';

const PROPAGATION: Readonly<Record<string, MountPropagation>> = {
  rshared: MountPropagation.PROPAGATION_BIDIRECTIONAL,
  shared: MountPropagation.PROPAGATION_BIDIRECTIONAL,
  rslave: MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  slave: MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
};
/** Options of a mount that CRI has words of its own for, or that go without saying. */
const SAID = new Set(['bind', 'rbind', 'ro', 'rw', 'private', 'rprivate', ...Object.keys(PROPAGATION)]);

/** What of the edits a CRI config can say: environment, devices, mounts. The rest is `injectCdi`'s. */
export function configWithCdi(config: ContainerConfig, edits: CdiEdits): ContainerConfig {
  const { env, deviceNodes, mounts } = edits;
  const keys = new Set(env.map(nameOf));
  return {
    ...config,
    // As CDI has it: what a device sets wins over what the pod says.
    envs: [
      ...config.envs.filter(({ key }) => !keys.has(key)),
      ...env.map((entry) => create(KeyValueSchema, { key: nameOf(entry), value: Buffer.from(entry.slice(entry.indexOf('=') + 1)) })),
    ],
    devices: [
      ...config.devices,
      ...deviceNodes.map((d) => create(DeviceSchema, { containerPath: d.path, hostPath: d.hostPath ?? d.path, permissions: d.permissions ?? 'rwm' })),
    ],
    mounts: [...config.mounts.filter((m) => !mounts.some((c) => c.containerPath === m.containerPath)), ...mounts.map(criMount)],
  };
}

const nameOf = (entry: string): string => entry.slice(0, entry.indexOf('='));

function criMount({ hostPath, containerPath, options }: CdiMount): Mount {
  const propagation = options.map((o) => PROPAGATION[o]).find((p) => p !== undefined) ?? MountPropagation.PROPAGATION_PRIVATE;
  return create(MountSchema, { hostPath, containerPath, readonly: options.includes('ro'), propagation });
}

/** The rest, in the specification that was made of such a config: owners and modes of device nodes, further mount options, groups, hooks. */
export function injectCdi(spec: RuntimeSpec, { deviceNodes, mounts, hooks, additionalGids }: CdiEdits): void {
  for (const { path, fileMode, uid, gid } of deviceNodes) {
    const device = spec.linux?.devices?.find((d) => d.path === path);
    if (device) Object.assign(device, fileMode === undefined ? {} : { fileMode }, uid === undefined ? {} : { uid }, gid === undefined ? {} : { gid });
  }
  for (const { containerPath, options } of mounts) {
    const mount: SpecMount | undefined = spec.mounts?.find((m) => m.destination === containerPath);
    if (mount) mount.options = [...(mount.options ?? []), ...options.filter((o) => !SAID.has(o))];
  }
  if (additionalGids.length > 0 && spec.process) {
    const { user } = spec.process;
    user.additionalGids = [...new Set([...(user.additionalGids ?? []), ...additionalGids])];
  }
  for (const { hookName, ...hook } of hooks) {
    spec.hooks ??= {};
    (spec.hooks[hookName] ??= []).push(hook);
  }
}

/** What of the edits a CRI config and groups cannot say, in words; undefined: nothing. */
export function beyondConfig({ deviceNodes, mounts, hooks }: CdiEdits): string | undefined {
  const options = [...new Set(mounts.flatMap((m) => m.options.filter((o) => !SAID.has(o))))];
  const found = [
    ...(hooks.length > 0 ? ['hooks'] : []),
    ...(deviceNodes.some((d) => d.fileMode !== undefined || d.uid !== undefined || d.gid !== undefined) ? ['the owner or mode of a device node'] : []),
    ...(options.length > 0 ? [`mount options ${options.join(', ')}`] : []),
  ];
  return found.length > 0 ? found.join(', ') : undefined;
}

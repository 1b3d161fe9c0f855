import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { Container, Pod } from '@coxswain/api';
import { type ContainerConfigSchema, type DeviceSchema, IDMappingSchema, type MountSchema } from '@coxswain/cri';
import { containerHash } from '../pod/container-hash.js';
import { Keys } from '../pod/keys.js';
import { gracePeriodOf, podId } from '../pod/pod-spec.js';
import { criStopSignal } from '../pod/stop-signal.js';
import type { LinuxResources } from '../pod/resources.js';
import { expand } from './expand.js';
import type { IdRange } from '../volumes/user-namespaces.js';
import { type ContainerSecurityInput, containerSecurity, idMapping } from './security.js';

export type ContainerConfigInit = MessageInitShape<typeof ContainerConfigSchema>;
export type MountInit = MessageInitShape<typeof MountSchema>;

export interface ContainerInput extends ContainerSecurityInput {
  readonly restartCount: number;
  /** What the runtime knows the image by. */
  readonly imageRef: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly MountInit[];
  readonly devices: readonly MessageInitShape<typeof DeviceSchema>[];
  /** By name, as CDI specifications of the node describe them. */
  readonly cdiDevices: readonly string[];
  readonly resources: LinuxResources;
}

/** `<container>/<n>.log`, below the pod's log folder. */
export const containerLogPath = (container: string, restartCount: number) => `${container}/${restartCount}.log`;

/** What the runtime is asked to make for one container. */
export function containerConfig(pod: Pod, container: Container, input: ContainerInput): ContainerConfigInit {
  const { uid, name, namespace } = podId(pod);
  const values = new Map(input.env.map((e) => [e.name, e.value]));
  const fill = (text: string) => expand(text, (key) => values.get(key));
  const { resources } = input;
  return {
    metadata: { name: container.name, attempt: input.restartCount },
    image: { image: input.imageRef, userSpecifiedImage: container.image ?? '' },
    command: (container.command ?? []).map(fill),
    args: (container.args ?? []).map(fill),
    workingDir: container.workingDir ?? '',
    envs: input.env.map(({ name: key, value }) => ({ key, value: Buffer.from(value, 'utf8') })),
    mounts: input.users ? input.mounts.map((m) => idMapped(m, input.users as IdRange)) : [...input.mounts],
    devices: [...input.devices],
    CDIDevices: input.cdiDevices.map((name) => ({ name })),
    labels: { [Keys.podName]: name, [Keys.podNamespace]: namespace, [Keys.podUid]: uid, [Keys.containerName]: container.name },
    annotations: {
      [Keys.containerHash]: containerHash(container),
      [Keys.restartCount]: String(input.restartCount),
      [Keys.terminationMessagePath]: container.terminationMessagePath ?? '/dev/termination-log',
      [Keys.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
      [Keys.terminationGracePeriod]: String(gracePeriodOf(pod)),
      ...(container.lifecycle?.preStop ? { [Keys.preStopHandler]: JSON.stringify(container.lifecycle.preStop) } : {}),
      ...(container.ports?.length ? { [Keys.containerPorts]: JSON.stringify(container.ports) } : {}),
    },
    logPath: containerLogPath(container.name, input.restartCount),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    stopSignal: criStopSignal(container.lifecycle?.stopSignal),
    linux: {
      resources: {
        cpuShares: BigInt(resources.cpuShares),
        cpuQuota: BigInt(resources.cpuQuota),
        cpuPeriod: BigInt(resources.cpuPeriod),
        memoryLimitInBytes: BigInt(resources.memoryLimit),
        oomScoreAdj: BigInt(resources.oomScoreAdj),
      },
      securityContext: containerSecurity(pod, container, input),
    },
  };
}

/** What is mounted keeps its owners inside the pod's user namespace. */
const idMapped = (mount: MountInit, users: IdRange): MountInit => ({
  ...mount,
  uidMappings: [create(IDMappingSchema, idMapping(users))],
  gidMappings: [create(IDMappingSchema, idMapping(users))],
});

import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Pod } from '@coxswain/api';
import { NamespaceMode, type PodSandboxConfigSchema, Protocol } from '@coxswain/cri';
import { Keys } from '../pod/keys.js';
import { podContainers, podId } from '../pod/pod-spec.js';
import type { ResolvConf } from './dns.js';
import { effectiveSecurity, namespaceOptions, seccompProfile, selinux, supplementalGroups, supplementalGroupsPolicy } from './security.js';
import type { IdRange } from '../volumes/user-namespaces.js';
import { podCgroupLimits, type ResourceOptions } from '../pod/resources.js';

export type SandboxConfig = MessageInitShape<typeof PodSandboxConfigSchema>;

export interface SandboxInput {
  readonly attempt: number;
  readonly hostname: string;
  readonly dns: ResolvConf;
  readonly logDirectory: string;
  /** Cgroup the runtime puts its groups under; empty: the runtime's own. */
  readonly cgroupParent: string;
  readonly seccompRoot: string;
  readonly seccompDefault: boolean;
  readonly resources: ResourceOptions;
  /** The pod's own user ids. */
  readonly users?: IdRange;
}

const PROTOCOLS: Readonly<Record<string, Protocol>> = { TCP: Protocol.TCP, UDP: Protocol.UDP, SCTP: Protocol.SCTP };

/** What the runtime is asked to make for a pod. */
export function sandboxConfig(pod: Pod, input: SandboxInput): SandboxConfig {
  const { uid, name, namespace } = podId(pod);
  const spec = pod.spec;
  const context = spec?.securityContext;
  const privileged = podContainers(pod).some(({ container }) => container.securityContext?.privileged);
  const security = effectiveSecurity(context, undefined);
  const ports = [...(spec?.containers ?? []), ...(spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')].flatMap((c) => c.ports ?? []);
  const limits = podCgroupLimits(pod, input.resources);
  return {
    metadata: { name, uid, namespace, attempt: input.attempt },
    // On the host's network the host's name counts.
    hostname: spec?.hostNetwork ? '' : input.hostname,
    logDirectory: input.logDirectory,
    dnsConfig: { servers: [...input.dns.servers], searches: [...input.dns.searches], options: [...input.dns.options] },
    portMappings: spec?.hostNetwork
      ? []
      : ports
          .filter((p) => p.hostPort)
          .map((p) => ({
            protocol: PROTOCOLS[p.protocol ?? 'TCP'] ?? Protocol.TCP,
            containerPort: p.containerPort,
            hostPort: p.hostPort ?? 0,
            hostIp: p.hostIP ?? '',
          })),
    labels: { ...pod.metadata?.labels, [Keys.podName]: name, [Keys.podNamespace]: namespace, [Keys.podUid]: uid },
    annotations: { ...pod.metadata?.annotations },
    linux: {
      cgroupParent: input.cgroupParent,
      sysctls: Object.fromEntries((context?.sysctls ?? []).map((s) => [s.name.replaceAll('/', '.'), s.value])),
      resources: {
        cpuShares: BigInt(limits.cpuShares),
        cpuQuota: BigInt(limits.cpuQuotaMicros),
        cpuPeriod: BigInt(limits.cpuPeriodMicros),
        memoryLimitInBytes: BigInt(Math.max(0, limits.memoryBytes)),
      },
      securityContext: {
        privileged,
        namespaceOptions: {
          ...namespaceOptions(pod, undefined, input.users),
          pid: spec?.hostPID ? NamespaceMode.NODE : spec?.shareProcessNamespace ? NamespaceMode.POD : NamespaceMode.CONTAINER,
        },
        ...(security.runAsUser !== undefined ? { runAsUser: { value: BigInt(security.runAsUser) } } : {}),
        ...(security.runAsGroup !== undefined ? { runAsGroup: { value: BigInt(security.runAsGroup) } } : {}),
        ...(security.seLinux ? { selinuxOptions: selinux(security.seLinux) } : {}),
        supplementalGroups: supplementalGroups(pod),
        supplementalGroupsPolicy: supplementalGroupsPolicy(pod),
        // The pause process is confined whatever the containers are.
        seccomp: seccompProfile({ type: 'RuntimeDefault' }, { ...input, privileged: false }),
      },
    },
  };
}

import { toJson } from '@bufbuild/protobuf';
import { ContainerConfigSchema, PodSandboxConfigSchema } from '@coxswain/cri';
import type { ContainerRecord } from '../container/container-record.js';
import type { SandboxRecord } from '../sandbox/sandbox-record.js';

type Info = Record<string, string>;

/** What `crictl inspect` shows beside a container's status; the keys are containerd's. Without the environment: secrets are in it. */
export function containerInfo({ meta, status, removing }: ContainerRecord): Info {
  const { envs: _secret, ...config } = meta.config;
  return info({
    sandboxID: meta.sandboxId,
    pid: status.pid ?? 0,
    removing,
    cgroupsPath: meta.cgroupsPath,
    config: toJson(ContainerConfigSchema, { ...config, envs: [] }),
  });
}

/** What `crictl inspectp` shows beside a pod's status. */
export function sandboxInfo({ config, namespaces, pausePid, runtimeHandler }: SandboxRecord): Info {
  return info({
    pid: pausePid ?? 0,
    namespaces,
    runtimeHandler,
    config: toJson(PodSandboxConfigSchema, config),
    ...(pausePid === undefined ? {} : { pausePid }),
  });
}

const info = (value: Readonly<Record<string, unknown>>): Info => ({ info: JSON.stringify(value) });

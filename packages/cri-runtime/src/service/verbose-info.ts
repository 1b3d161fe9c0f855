import { toJson } from '@bufbuild/protobuf';
import { ContainerConfigSchema, PodSandboxConfigSchema } from '@coxswain/cri';
import type { RuntimeSpec } from '@coxswain/oci';
import type { ContainerRecord } from '../container/container-record.js';
import type { SandboxRecord } from '../sandbox/sandbox-record.js';

type Info = Record<string, string>;

/** What `crictl inspect` shows beside a container's status; the keys are containerd's. Without the environment: secrets are in it. */
export function containerInfo({ meta, status, removing }: ContainerRecord, spec?: RuntimeSpec): Info {
  const { envs: _secret, ...config } = meta.config;
  return info({
    sandboxID: meta.sandboxId,
    pid: status.pid ?? 0,
    removing,
    cgroupsPath: meta.cgroupsPath,
    config: toJson(ContainerConfigSchema, { ...config, envs: [] }),
    ...(spec ? { runtimeSpec: withoutEnvironment(spec) } : {}),
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

function withoutEnvironment(spec: RuntimeSpec): RuntimeSpec {
  if (!spec.process) return spec;
  const { env: _secret, ...process } = spec.process;
  return { ...spec, process };
}

const info = (value: Readonly<Record<string, unknown>>): Info => ({ info: JSON.stringify(value) });

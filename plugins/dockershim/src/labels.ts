import { fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { type PodSandboxConfig, PodSandboxConfigSchema } from '@coxswain/cri';
import { type ContainerMeta, loadMeta, type StoredMeta, storeMeta } from '@coxswain/cri-runtime';

// A container's labels are the record: what a restarted server knows of it. The names that people look for are upstream's.
const TYPE = 'io.kubernetes.docker.type';
const SANDBOX_ID = 'io.kubernetes.sandbox.id';
const LOG_PATH = 'io.kubernetes.container.logpath';
const RECORD = 'io.coxswain.cri.record';

/** For the engine's filters. */
export const sandboxFilter = `${TYPE}=podsandbox`;
export const containerFilter = `${TYPE}=container`;

export type Labels = Readonly<Record<string, string>>;

export function sandboxLabels(config: PodSandboxConfig): Labels {
  return { ...config.labels, [TYPE]: 'podsandbox', [RECORD]: JSON.stringify(toJson(PodSandboxConfigSchema, config)) };
}

/** Undefined: not one of ours. */
export function sandboxOf(labels: Labels | null): PodSandboxConfig | undefined {
  const record = labels?.[RECORD];
  return record === undefined ? undefined : fromJson(PodSandboxConfigSchema, JSON.parse(record) as JsonValue, { ignoreUnknownFields: true });
}

export function containerLabels(meta: ContainerMeta): Labels {
  return {
    ...meta.config.labels,
    [TYPE]: 'container',
    [SANDBOX_ID]: meta.sandboxId,
    ...(meta.logPath === '' ? {} : { [LOG_PATH]: meta.logPath }),
    [RECORD]: JSON.stringify(storeMeta(meta)),
  };
}

/** Undefined: not one of ours. The id is the engine's, and so is the control group's name. */
export function containerOf(id: string, labels: Labels | null): ContainerMeta | undefined {
  const record = labels?.[RECORD];
  if (record === undefined) return undefined;
  const meta = loadMeta(JSON.parse(record) as StoredMeta);
  return { ...meta, id, cgroupsPath: meta.cgroupsPath.replace(/[^/]*$/, id) };
}

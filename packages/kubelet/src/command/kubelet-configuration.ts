import { quantityValue } from '@coxswain/api';
import { CliError, readFlagFile, seconds } from '@coxswain/command';
import { parse } from 'yaml';
import type { KubeletConfig } from '../index.js';

/** What a KubeletConfiguration file says, as far as we take it. */
export interface KubeletFile {
  readonly config: KubeletConfig;
  readonly containerRuntimeEndpoint?: string;
  readonly clientCaFile?: string;
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
}

/** Checks a value and answers it as our options have it; throws the reason. */
type Take<T> = (value: unknown) => T;

const fail = (wanted: string): never => {
  throw new TypeError(`must be ${wanted}`);
};
const text: Take<string> = (v) => (typeof v === 'string' ? v : fail('a string'));
const number: Take<number> = (v) => (Number.isInteger(v) ? (v as number) : fail('a whole number'));
const boolean: Take<boolean> = (v) => (typeof v === 'boolean' ? v : fail('true or false'));
const texts: Take<string[]> = (v) => (Array.isArray(v) ? v.map(text) : fail('a list of strings'));
const bytes: Take<number> = (v) => quantityValue(text(v));
const ms: Take<number> = (v) => seconds(text(v)) * 1000;
const record: Take<Record<string, unknown>> = (v) =>
  typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Record<string, unknown>) : fail('an object');
const amounts: Take<Record<string, string>> = (v) => Object.fromEntries(Object.entries(record(v)).map(([key, amount]) => [key, text(amount)]));

/** An object of which we know these fields, and refuse all others. */
function fields<T extends object>(takes: { readonly [K in keyof T]-?: Take<T[K]> }): Take<T> {
  return (value) => {
    const out: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(record(value))) {
      const take = (takes as Readonly<Record<string, Take<unknown>>>)[key];
      if (!take) throw new TypeError(`${key}: unknown or unsupported field (supported: ${Object.keys(takes).join(', ')})`);
      try {
        out[key] = take(inner);
      } catch (error) {
        throw new TypeError(`${key}: ${(error as Error).message}`, { cause: error });
      }
    }
    return out as T;
  };
}

const taint = fields<{ key: string; value: string; effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' }>({
  key: text,
  value: text,
  effect: (v) => (v === 'NoSchedule' || v === 'PreferNoSchedule' || v === 'NoExecute' ? v : fail('NoSchedule, PreferNoSchedule or NoExecute')),
});

/** Fields that are options of ours by the same name. */
const same = {
  address: text,
  allowedUnsafeSysctls: texts,
  cgroupRoot: text,
  cgroupsPerQOS: boolean,
  clusterDNS: texts,
  clusterDomain: text,
  containerLogMaxFiles: number,
  cpuCFSQuota: boolean,
  enableDebuggingHandlers: boolean,
  evictionHard: amounts,
  healthzPort: number,
  imageGCHighThresholdPercent: number,
  imageGCLowThresholdPercent: number,
  kubeReserved: amounts,
  maxPods: number,
  nodeLeaseDurationSeconds: number,
  podCIDR: text,
  podLogsDir: text,
  port: number,
  providerID: text,
  registerNode: boolean,
  registerWithTaints: (v: unknown) => (Array.isArray(v) ? v.map(taint) : fail('a list of taints')),
  resolvConf: text,
  seccompDefault: boolean,
  staticPodPath: text,
  systemReserved: amounts,
};

/** Fields that our options name with their unit. */
const renamed = {
  containerLogMaxSize: (v: unknown) => ({ containerLogMaxSizeBytes: bytes(v) }),
  containerLogMonitorInterval: (v: unknown) => ({ containerLogMonitorIntervalMs: ms(v) }),
  cpuCFSQuotaPeriod: (v: unknown) => ({ cpuCFSQuotaPeriodMicros: ms(v) * 1000 }),
  evictionPressureTransitionPeriod: (v: unknown) => ({ evictionPressureTransitionPeriodMs: ms(v) }),
  fileCheckFrequency: (v: unknown) => ({ fileCheckFrequencyMs: ms(v) }),
  imageMinimumGCAge: (v: unknown) => ({ imageMinimumGCAgeMs: ms(v) }),
  nodeStatusReportFrequency: (v: unknown) => ({ nodeStatusReportFrequencyMs: ms(v) }),
  nodeStatusUpdateFrequency: (v: unknown) => ({ nodeStatusUpdateFrequencyMs: ms(v) }),
} satisfies Record<string, Take<KubeletConfig>>;

const enabled = fields<{ enabled: boolean }>({ enabled: boolean });
const files = {
  authentication: fields<{ anonymous: { enabled: boolean }; webhook: { enabled: boolean }; x509: { clientCAFile: string } }>({
    anonymous: enabled,
    webhook: enabled,
    x509: fields<{ clientCAFile: string }>({ clientCAFile: text }),
  }),
  authorization: fields<{ mode: 'Webhook' | 'AlwaysAllow' }>({
    mode: (v) => (v === 'Webhook' || v === 'AlwaysAllow' ? v : fail('Webhook or AlwaysAllow')),
  }),
  containerRuntimeEndpoint: text,
  tlsCertFile: text,
  tlsPrivateKeyFile: text,
};

const file = fields({ apiVersion: text, kind: text, ...same, ...renamed, ...files });

/** Reads a KubeletConfiguration (kubelet.config.k8s.io/v1beta1). What we do not know is refused by name rather than ignored. */
export function readKubeletConfiguration(path: string): KubeletFile {
  const content = readFlagFile('--config', path);
  try {
    const value: unknown = parse(content);
    const { kind, apiVersion } = record(value);
    if (kind !== 'KubeletConfiguration' || apiVersion !== 'kubelet.config.k8s.io/v1beta1')
      throw new TypeError('is no KubeletConfiguration of kubelet.config.k8s.io/v1beta1');
    return toFile(file(value));
  } catch (error) {
    throw new CliError(`--config: ${path}: ${(error as Error).message}`, undefined, 2, { cause: error });
  }
}

function toFile(value: Partial<ReturnType<typeof file>>): KubeletFile {
  const { apiVersion: _v, kind: _k, authentication, authorization, containerRuntimeEndpoint, tlsCertFile, tlsPrivateKeyFile, ...rest } = value;
  const options = Object.entries(rest).map(([key, field]) => (key in renamed ? (field as KubeletConfig) : { [key]: field }));
  const clientCaFile = authentication?.x509?.clientCAFile;
  return {
    config: Object.assign(
      {},
      ...options,
      authentication ? { authentication: { anonymous: authentication.anonymous?.enabled ?? false, webhook: authentication.webhook?.enabled ?? true } } : {},
      authorization?.mode ? { authorization: authorization.mode } : {},
    ) as KubeletConfig,
    ...(containerRuntimeEndpoint === undefined ? {} : { containerRuntimeEndpoint }),
    ...(clientCaFile === undefined ? {} : { clientCaFile }),
    ...(tlsCertFile === undefined ? {} : { tlsCertFile }),
    ...(tlsPrivateKeyFile === undefined ? {} : { tlsPrivateKeyFile }),
  };
}

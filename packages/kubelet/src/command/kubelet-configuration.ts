import { cpus } from 'node:os';
import { kubeletOptions } from '../options.js';
import { featureGatesField } from './fields/feature-gates-field.js';
import { nodeFields } from './fields/node-fields.js';
import { podFields } from './fields/pod-fields.js';
import { serverFields } from './fields/server-fields.js';
import type { Field, KubeletSettings } from './kubelet-settings.js';
import { named, record } from './takes.js';

/** Fields of a KubeletConfiguration as they are written, before they are looked at. */
export type RawConfiguration = Readonly<Record<string, unknown>>;

export const API_VERSION = 'kubelet.config.k8s.io/v1beta1';

/** Every field of upstream's v1beta1. */
export const configurationFields: Readonly<Record<string, Field>> = {
  ...serverFields,
  ...podFields,
  ...nodeFields,
  featureGates: featureGatesField,
};

/** Checks a KubeletConfiguration, alone or all its sources together. A field that is unknown, or asks for what is not done here, is refused by name. */
export function kubeletSettings(raw: RawConfiguration): KubeletSettings {
  const parts = Object.entries(raw).map(([name, value]) => {
    if (name === 'apiVersion' || name === 'kind' || value === null || value === undefined) return {};
    const field = Object.hasOwn(configurationFields, name) ? configurationFields[name] : undefined;
    if (!field) throw new TypeError(`${name}: unknown field`);
    return named(name, () => field(value));
  });
  return together(Object.assign({}, ...parts) as KubeletSettings);
}

/** What fields mean together. */
function together(settings: KubeletSettings): KubeletSettings {
  const { serializeImagePulls = true, maxParallelImagePulls, nodeStatusUpdateFrequencyMs, nodeStatusReportFrequencyMs } = settings;
  if (serializeImagePulls && (maxParallelImagePulls ?? 1) > 1)
    throw new TypeError('maxParallelImagePulls: cannot be larger than 1 unless serializeImagePulls is set to false');
  return {
    ...settings,
    ...eviction(settings),
    ...reserved(settings),
    ...capacity(settings),
    ...verification(settings),
    ...(serializeImagePulls ? { maxParallelImagePulls: 1 } : {}),
    // As upstream: who reports more often wants to be heard as often.
    ...(nodeStatusUpdateFrequencyMs !== undefined && nodeStatusReportFrequencyMs === undefined
      ? { nodeStatusReportFrequencyMs: nodeStatusUpdateFrequencyMs }
      : {}),
  };
}

function eviction({
  evictionHard,
  evictionSoft = {},
  evictionSoftGracePeriodMs = {},
  mergeDefaultEvictionSettings,
  ...rest
}: KubeletSettings): KubeletSettings {
  for (const signal of Object.keys(evictionSoft))
    if (evictionSoftGracePeriodMs[signal] === undefined)
      throw new TypeError(`evictionSoft: grace period must be specified for the soft eviction threshold ${signal}`);
  const { imageGCHighThresholdPercent: high = 85, imageGCLowThresholdPercent: low = 80 } = rest;
  if (low >= high) throw new TypeError(`imageGCLowThresholdPercent: ${low} must be less than imageGCHighThresholdPercent ${high}`);
  return mergeDefaultEvictionSettings && evictionHard ? { evictionHard: { ...kubeletOptions().evictionHard, ...evictionHard } } : {};
}

/** A list of CPUs wins over amounts of CPU, and the names of what to enforce need their cgroups. */
function reserved({
  reservedCPUs,
  systemReserved,
  kubeReserved,
  systemReservedCgroup,
  kubeReservedCgroup,
  enforceNodeAllocatable = [],
  cgroupsPerQOS,
}: KubeletSettings): KubeletSettings {
  const enforces = (name: string) => enforceNodeAllocatable.some((level) => level.startsWith(name));
  if (enforceNodeAllocatable.includes('none') && enforceNodeAllocatable.length > 1) throw new TypeError('enforceNodeAllocatable: none stands alone');
  if (enforces('system-reserved') && !systemReservedCgroup) throw new TypeError('enforceNodeAllocatable: system-reserved takes systemReservedCgroup');
  if (enforces('kube-reserved') && !kubeReservedCgroup) throw new TypeError('enforceNodeAllocatable: kube-reserved takes kubeReservedCgroup');
  if (cgroupsPerQOS === false && enforceNodeAllocatable.some((level) => level !== 'none'))
    throw new TypeError('enforceNodeAllocatable: takes cgroupsPerQOS, without which there is no cgroup to hold pods in');
  if (reservedCPUs === undefined) return {};
  if (systemReservedCgroup || kubeReservedCgroup) throw new TypeError('reservedSystemCPUs: goes with neither systemReservedCgroup nor kubeReservedCgroup');
  const { cpu: _cpu, ...kube } = kubeReserved ?? {};
  return { systemReserved: { ...systemReserved, cpu: String(reservedCPUs) }, kubeReserved: kube };
}

function verification({
  imagePullCredentialsVerificationPolicy: policy,
  preloadedImagesVerificationAllowlist: allowlist = [],
}: KubeletSettings): KubeletSettings {
  if (allowlist.length > 0 && policy !== 'NeverVerifyAllowlistedImages')
    throw new TypeError('preloadedImagesVerificationAllowlist: can only be set with imagePullCredentialsVerificationPolicy NeverVerifyAllowlistedImages');
  return {};
}

function capacity({ podsPerCore, maxPods = kubeletOptions().maxPods }: KubeletSettings): KubeletSettings {
  return podsPerCore ? { maxPods: Math.min(maxPods, podsPerCore * cpus().length) } : {};
}

/** One configuration over another, as upstream merges its drop-in files: maps field by field, all else replaced, null takes away (RFC 7386). */
export function mergeConfiguration(below: RawConfiguration, above: RawConfiguration): RawConfiguration {
  const merged: Record<string, unknown> = { ...below };
  for (const [name, value] of Object.entries(above)) {
    const before = merged[name];
    if (value === null) delete merged[name];
    else if (isMap(value)) merged[name] = mergeConfiguration(isMap(before) ? record(before) : {}, record(value));
    else merged[name] = value;
  }
  return merged;
}

const isMap = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

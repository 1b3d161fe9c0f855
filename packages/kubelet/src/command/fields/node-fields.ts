import type { LogFormat } from '@coxswain/command';
import type { Taint } from '../../index.js';
import { EVICTION_SIGNALS } from '../../node/eviction-signals.js';
import type { Field } from '../kubelet-settings.js';
import { duration, given, noEffect, orDefault, settled, settledStrictly } from '../field-kinds.js';
import { atLeast, between, boolean, fail, fields, ms, number, oneOf, record, type Take, text, within } from '../takes.js';

const bySignal =
  <T>(take: (value: Readonly<Record<string, unknown>>) => Record<string, T>): Take<Record<string, T>> =>
  (v) => {
    for (const signal of Object.keys(record(v)))
      if (!(EVICTION_SIGNALS as readonly string[]).includes(signal)) fail(`by eviction signal (${EVICTION_SIGNALS.join(', ')}), not ${signal}`);
    return take(record(v));
  };
const thresholds = bySignal((v) =>
  within(v, (amount) => (/^(\d+(\.\d+)?%|\d+(\.\d+)?([KMGTPE]i?|[mk])?)$/.test(text(amount)) ? text(amount) : fail('a quantity or a percentage'))),
);

const taint: Take<Taint> = (v) => {
  const {
    key = fail('a taint with a key'),
    value,
    effect = fail('a taint with an effect'),
  } = fields<{ key: string; value: string; effect: Taint['effect']; timeAdded: string }>({
    key: text,
    value: text,
    effect: oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
    timeAdded: text,
  })(v);
  return { key, effect, ...(value ? { value } : {}) };
};

const logging = fields<{ format: string; flushFrequency: unknown; verbosity: number; vmodule: unknown; options: object }>({
  format: oneOf('', 'text', 'json'),
  flushFrequency: (v) => (typeof v === 'number' ? number(v) : ms(v)),
  verbosity: atLeast(0),
  vmodule: (v) => (Array.isArray(v) && v.length === 0 ? v : fail('empty: verbosity holds for all files')),
  options: fields<{ text: object; json: object }>({
    text: fields<{ splitStream: boolean; infoBufferSize: unknown }>({ splitStream: boolean, infoBufferSize: amount }),
    json: fields<{ splitStream: boolean; infoBufferSize: unknown }>({ splitStream: boolean, infoBufferSize: amount }),
  }),
});
function amount(v: unknown): unknown {
  return typeof v === 'number' ? number(v) : text(v);
}

const NO_SHUTDOWN = 'pods are not ended when the machine shuts down: that takes an inhibitor lock of systemd-logind';

/** The node as a whole: its object, pressure, events, the process. */
export const nodeFields: Readonly<Record<string, Field>> = {
  containerRuntimeEndpoint: orDefault('containerRuntimeEndpoint', text),
  imageServiceEndpoint: orDefault('imageServiceEndpoint', text),
  registerNode: given('registerNode', boolean),
  registerWithTaints: orDefault('registerWithTaints', (v) => (Array.isArray(v) ? v.map(taint) : fail('a list of taints'))),
  providerID: orDefault('providerID', text),
  nodeStatusUpdateFrequency: duration('nodeStatusUpdateFrequencyMs'),
  nodeStatusReportFrequency: duration('nodeStatusReportFrequencyMs'),
  nodeLeaseDurationSeconds: orDefault('nodeLeaseDurationSeconds', atLeast(1)),
  nodeStatusMaxImages: given('nodeStatusMaxImages', atLeast(-1)),
  localStorageCapacityIsolation: given('localStorageCapacityIsolation', boolean),

  evictionHard: given('evictionHard', thresholds),
  evictionSoft: given('evictionSoft', thresholds),
  evictionSoftGracePeriod: given(
    'evictionSoftGracePeriodMs',
    bySignal((v) => within(v, ms)),
  ),
  evictionMinimumReclaim: given('evictionMinimumReclaim', thresholds),
  evictionPressureTransitionPeriod: duration('evictionPressureTransitionPeriodMs'),
  evictionMaxPodGracePeriod: orDefault('evictionMaxPodGracePeriodSeconds', number),
  mergeDefaultEvictionSettings: given('mergeDefaultEvictionSettings', boolean),
  kernelMemcgNotification: settled([], 'memory is looked at now and then'),

  eventRecordQPS: given('eventRecordQPS', atLeast(0)),
  eventBurst: orDefault('eventBurst', atLeast(0)),
  kubeAPIQPS: given('kubeAPIQPS', number),
  kubeAPIBurst: orDefault('kubeAPIBurst', atLeast(0)),
  contentType: settled(['application/json', 'application/vnd.kubernetes.protobuf'], 'requests are written in the form that suits the server'),

  oomScoreAdj: given('oomScoreAdj', between(-1000, 1000)),
  maxOpenFiles: orDefault('maxOpenFiles', atLeast(0)),
  failSwapOn: given('failSwapOn', boolean),
  failCgroupV1: given('failCgroupV1', boolean),
  protectKernelDefaults: given('protectKernelDefaults', boolean),
  makeIPTablesUtilChains: noEffect(boolean),
  iptablesMasqueradeBit: noEffect(number),
  iptablesDropBit: noEffect(number),
  enableControllerAttachDetach: settledStrictly([true], 'volumes are attached by the attach-detach controller'),
  volumePluginDir: noEffect(text),
  volumeStatsAggPeriod: noEffect(ms),

  logging: (v) => {
    const { verbosity, format } = logging(v);
    return { ...(verbosity === undefined ? {} : { verbosity }), ...(format ? { logFormat: format as LogFormat } : {}) };
  },
  tracing: settled([], 'traces are not exported'),
  shutdownGracePeriod: settled([], NO_SHUTDOWN),
  shutdownGracePeriodCriticalPods: settled([], NO_SHUTDOWN),
  shutdownGracePeriodByPodPriority: settled([], NO_SHUTDOWN),
};

import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus, KubeObject, Scale } from '@coxswain/api';
import { formatTime, isNotFound, parseLabelSelector, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { withCondition } from '../runtime/conditions.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { groupOf } from '../runtime/owners.js';
import { ServedKinds } from '../runtime/served-kinds.js';
import { limitReplicas, type Sample } from './hpa-limits.js';
import { HpaMetrics } from './hpa-metrics.js';
import { type MetricError, proposeFor, type MetricProposal } from './hpa-proposals.js';
import { toleranceOf } from './hpa-tolerance.js';

/** The longest window and period that `spec.behavior` may have. */
const HISTORY_MS = 3_600_000;

type Condition = NonNullable<HorizontalPodAutoscalerStatus['conditions']>[number];

/** Scales what has a scale subresource by metrics: of resources of its pods, of the pods, of other objects, and from outside. */
export function hpaController({ client, informers, clock, config, events }: ControllerContext): Controller {
  const autoscalers = informers.informer(Resources.horizontalPodAutoscalers);
  const pods = informers.informer(Resources.pods);
  const metrics = new HpaMetrics(client);
  const wishes = new Map<string, Sample[]>();
  const changes = new Map<string, Sample[]>();
  const kinds = new ServedKinds(client);

  const resourceOf = async (apiVersion: string | undefined, kind: string, signal: AbortSignal) =>
    (await kinds.find(groupOf(apiVersion ?? ''), kind, signal))?.resource;

  async function readScale(hpa: HorizontalPodAutoscaler, signal: AbortSignal) {
    const { apiVersion, kind = '', name = '' } = hpa.spec?.scaleTargetRef ?? {};
    const resource = await resourceOf(apiVersion, kind, signal);
    if (!resource) throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(groupOf(apiVersion ?? ''))}`);
    const api = client.resource<KubeObject>(resource, hpa.metadata.namespace).subresource(name, 'scale');
    try {
      return { api, scale: (await api.get({ signal })) as Scale };
    } catch (error) {
      // The kind may be served by another resource by now.
      if (!isNotFound(error)) kinds.forget();
      throw error;
    }
  }

  const remember = (store: Map<string, Sample[]>, key: string, sample: Sample): Sample[] => {
    const samples = [...(store.get(key) ?? []).filter(({ at }) => at > sample.at - HISTORY_MS), sample];
    store.set(key, samples);
    return samples;
  };

  return {
    name: 'horizontalpodautoscaler',
    watch: (queue) =>
      autoscalers.addHandler({
        add: (h) => queue.add(`${h.metadata.namespace}/${h.metadata.name}`),
        update: (old, h) => !semanticEqual(old.spec, h.spec) && queue.add(`${h.metadata.namespace}/${h.metadata.name}`),
      }),
    async reconcile(key, signal) {
      const { namespace, name } = splitKey(key);
      const hpa = autoscalers.lister.get(name, namespace);
      if (!hpa) {
        wishes.delete(key);
        changes.delete(key);
        return undefined;
      }
      const now = clock.now();
      const time = formatTime(now);
      let conditions = hpa.status?.conditions ?? [];
      const say = (type: string, status: 'True' | 'False', reason: string, message: string) => {
        conditions = withCondition<Condition>(conditions, { type, status, reason, message, lastTransitionTime: time }, time);
      };
      const warn = (reason: string, message: string) => events(hpa as KubeObject, 'Warning', reason, message);
      const status: HorizontalPodAutoscalerStatus = {
        ...hpa.status,
        desiredReplicas: hpa.status?.desiredReplicas ?? 0,
        observedGeneration: hpa.metadata.generation ?? 0,
      };
      const finish = async () => {
        const next = { ...status, conditions };
        if (!semanticEqual(next, hpa.status)) await client.api.horizontalPodAutoscalers(namespace).updateStatus({ ...hpa, status: next }, { signal });
        return { requeueAfterMs: config.hpaSyncPeriod * 1000 };
      };
      let target: Awaited<ReturnType<typeof readScale>>;
      try {
        target = await readScale(hpa, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        const { message } = error as Error;
        say('AbleToScale', 'False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${message}`);
        warn('FailedGetScale', message);
        return finish();
      }
      const { api, scale } = target;
      say('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
      const current = scale.spec?.replicas ?? 0;
      status.currentReplicas = scale.status?.replicas ?? current;
      if (!wishes.has(key)) remember(wishes, key, { at: now, replicas: current });
      const { minReplicas: min = 1, maxReplicas: max = 1 } = hpa.spec ?? {};
      let wanted = current;
      let why = '';
      if (current === 0 && min !== 0) {
        say('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero');
        status.desiredReplicas = 0;
        return finish();
      }
      if (current > max || current < min) {
        wanted = current > max ? max : min;
        why = current > max ? 'Current number of replicas above Spec.MaxReplicas' : 'Current number of replicas below Spec.MinReplicas';
      } else {
        const selector = scale.status?.selector ?? '';
        if (selector === '') {
          const message = 'selector is required';
          warn('SelectorRequired', message);
          say('ScalingActive', 'False', 'InvalidSelector', "the HPA target's scale is missing a selector");
          return finish();
        }
        const asked = {
          hpa,
          pods: pods.lister.list({ namespace, selector: parseLabelSelector(selector) }),
          selector,
          specReplicas: current,
          statusReplicas: status.currentReplicas,
          tolerance: toleranceOf(hpa, config.hpaTolerance),
          readiness: { now, cpuInitializationMs: config.hpaCpuInitializationPeriod * 1000, readinessDelayMs: config.hpaInitialReadinessDelay * 1000 },
        };
        const specs = hpa.spec?.metrics ?? [];
        const results = await Promise.allSettled(
          specs.map((spec) => proposeFor(asked, spec, metrics, (apiVersion, kind) => resourceOf(apiVersion, kind, signal), signal)),
        );
        signal.throwIfAborted();
        const good = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
        const bad = results.flatMap((r) => (r.status === 'rejected' ? [r.reason as MetricError] : []));
        status.currentMetrics = good.map((proposal) => proposal.status);
        const best = good.reduce<MetricProposal | undefined>((a, b) => (!a || b.replicas > a.replicas ? b : a), undefined);
        for (const error of bad) warn(error.reason ?? 'FailedComputeMetricsReplicas', error.message);
        // Growing on what is known is safe; shrinking on half the figures is not.
        if (!best || (bad.length > 0 && best.replicas < current)) {
          const [first] = bad;
          if (first) {
            say('ScalingActive', 'False', first.reason ?? 'FailedComputeMetricsReplicas', `the HPA was unable to compute the replica count: ${first.message}`);
            const all = `invalid metrics (${bad.length} invalid out of ${specs.length}), first error is: ${first.message}`;
            warn('FailedComputeMetricsReplicas', all);
          }
          return finish();
        }
        say('ScalingActive', 'True', 'ValidMetricFound', `the HPA was able to successfully calculate a replica count from ${best.name}`);
        const history = { wishes: wishes.get(key) ?? [], changes: changes.get(key) ?? [], downWindowMs: config.hpaDownscaleStabilization * 1000 };
        const { replicas, limit, stabilized } = limitReplicas(hpa, current, best.replicas, history, now);
        remember(wishes, key, { at: now, replicas: best.replicas });
        say('AbleToScale', 'True', stabilized?.reason ?? 'ReadyForNewScale', stabilized?.message ?? 'recommended size matches current size');
        say('ScalingLimited', limit.reason === 'DesiredWithinRange' ? 'False' : 'True', limit.reason, limit.message);
        wanted = replicas;
        why = wanted > current ? `${best.name} above target` : 'All metrics below target';
      }
      status.desiredReplicas = wanted;
      if (wanted === current) return finish();
      try {
        await api.update({ ...scale, spec: { ...scale.spec, replicas: wanted } } as KubeObject, { signal });
      } catch (error) {
        const { message } = error as Error;
        status.desiredReplicas = current;
        say('AbleToScale', 'False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${message}`);
        warn('FailedRescale', `New size: ${wanted}; reason: ${why}; error: ${message}`);
        await finish();
        throw error;
      }
      say('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${wanted}`);
      events(hpa as KubeObject, 'Normal', 'SuccessfulRescale', `New size: ${wanted}; reason: ${why}`);
      remember(changes, key, { at: now, replicas: wanted - current });
      status.lastScaleTime = time;
      return finish();
    },
  };
}

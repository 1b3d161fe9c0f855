import {
  quantityMilliValue,
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerStatus,
  type KubeObject,
  type MetricSpec,
  type Pod,
  type Scale,
} from '@coxswain/api';
import { formatTime, isNotFound, parseLabelSelector, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey, type ResourceRef } from '@coxswain/client';
import { isActive, isReady } from '../pods/pod-state.js';
import { findCondition, withCondition } from '../runtime/conditions.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { discover } from '../runtime/discovery.js';
import { limitReplicas, replicasFor, type Sample } from './hpa-decision.js';

interface PodMetrics extends KubeObject {
  containers?: { name: string; usage: Record<string, string> }[];
}
const POD_METRICS: ResourceRef<PodMetrics> = { group: 'metrics.k8s.io', version: 'v1beta1', resource: 'pods', kind: 'PodMetrics', namespaced: true };
const HISTORY_MS = 3_600_000;

interface Wish {
  readonly replicas: number;
  readonly current: NonNullable<HorizontalPodAutoscalerStatus['currentMetrics']>[number];
  readonly name: string;
}

/** Scales what has a scale subresource by the resource metrics of its pods. */
export function hpaController({ client, informers, clock, config, events }: ControllerContext): Controller {
  const autoscalers = informers.informer(Resources.horizontalPodAutoscalers);
  const pods = informers.informer(Resources.pods);
  const wishes = new Map<string, Sample[]>();
  const changes = new Map<string, Sample[]>();
  const kinds = new Map<string, ResourceRef>();

  async function scaleTarget(hpa: HorizontalPodAutoscaler, signal: AbortSignal): Promise<ResourceRef> {
    const { apiVersion = '', kind = '' } = hpa.spec?.scaleTargetRef ?? {};
    const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] as string) : '';
    const id = `${group}/${kind}`;
    if (!kinds.has(id)) for (const r of (await discover(client, signal)).resources) kinds.set(`${r.group}/${r.kind}`, r);
    const ref = kinds.get(id);
    if (!ref) throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`);
    return ref;
  }

  /** What one metric asks for. */
  async function evaluate(
    hpa: HorizontalPodAutoscaler,
    metric: MetricSpec,
    selected: readonly Pod[],
    current: number,
    selector: string,
    signal: AbortSignal,
  ): Promise<Wish> {
    const source = metric.type === 'Resource' ? metric.resource : metric.type === 'ContainerResource' ? metric.containerResource : undefined;
    if (!source) throw new Error(`metrics of type ${metric.type} need a custom metrics API, which is not supported`);
    const container = metric.type === 'ContainerResource' ? metric.containerResource?.container : undefined;
    const { items } = await client.resource<PodMetrics>(POD_METRICS, hpa.metadata.namespace).list({ labelSelector: selector, signal });
    const usage = new Map(
      items.map((m) => [
        m.metadata.name ?? '',
        (m.containers ?? []).filter((c) => !container || c.name === container).reduce((n, c) => n + quantityMilliValue(c.usage[source.name] ?? '0'), 0),
      ]),
    );
    if (usage.size === 0) throw new Error(`unable to get metrics for resource ${source.name}: no metrics returned from resource metrics API`);
    // Pods that are not ready have nothing to tell about CPU yet.
    const measured = selected.filter((p) => usage.has(p.metadata.name ?? '') && (source.name !== 'cpu' || isReady(p)));
    const missing = selected.length - measured.length;
    if (measured.length === 0) throw new Error('did not receive metrics for any ready pods');
    const total = measured.reduce((n, p) => n + (usage.get(p.metadata.name ?? '') ?? 0), 0);
    const average = total / measured.length;
    const asQuantity = (milli: number) => (source.name === 'cpu' ? `${Math.round(milli)}m` : String(Math.round(milli / 1000)));
    const value = { averageValue: asQuantity(average) };
    const wrap = (c: object) =>
      (metric.type === 'Resource'
        ? { type: 'Resource', resource: { name: source.name, current: c } }
        : { type: 'ContainerResource', containerResource: { name: source.name, container, current: c } }) as Wish['current'];
    if (source.target.type === 'Utilization') {
      const requested = measured.reduce((n, p) => {
        const cs = (p.spec?.containers ?? []).filter((c) => !container || c.name === container);
        for (const c of cs)
          if (!c.resources?.requests?.[source.name])
            throw new Error(
              `failed to get ${source.name} utilization: missing request for ${source.name} in container ${c.name} of Pod ${p.metadata.name ?? ''}`,
            );
        return n + cs.reduce((s, c) => s + quantityMilliValue(c.resources?.requests?.[source.name] ?? '0'), 0);
      }, 0);
      const utilization = Math.floor((total * 100) / requested);
      return {
        replicas: replicasFor(current, measured.length, utilization / (source.target.averageUtilization ?? 80), missing),
        current: wrap({ ...value, averageUtilization: utilization }),
        name: `${source.name} resource utilization (percentage of request)`,
      };
    }
    const target = quantityMilliValue(source.target.averageValue ?? '0');
    return { replicas: replicasFor(current, measured.length, average / target, missing), current: wrap(value), name: `${source.name} resource` };
  }

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
        conditions = withCondition(conditions, { type, status, reason, message, lastTransitionTime: time }, time);
      };
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
      const target = hpa.spec?.scaleTargetRef.name ?? '';
      let scale: Scale;
      let scaled: ReturnType<ReturnType<typeof client.resource>['subresource']>;
      try {
        scaled = client.resource<KubeObject>(await scaleTarget(hpa, signal), namespace).subresource(target, 'scale');
        scale = (await scaled.get({ signal })) as unknown as Scale;
      } catch (error) {
        const message = `the HPA controller was unable to get the target's current scale: ${(error as Error).message}`;
        say('AbleToScale', 'False', 'FailedGetScale', message);
        events(hpa as KubeObject, 'Warning', 'FailedGetScale', (error as Error).message);
        if (!isNotFound(error)) kinds.clear();
        return finish();
      }
      say('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
      const current = scale.spec?.replicas ?? 0;
      status.currentReplicas = scale.status?.replicas ?? current;
      const min = hpa.spec?.minReplicas ?? 1;
      const max = hpa.spec?.maxReplicas ?? 1;
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
        const selected = pods.lister.list({ namespace, selector: parseLabelSelector(selector) }).filter(isActive);
        const results = await Promise.allSettled((hpa.spec?.metrics ?? []).map((m) => evaluate(hpa, m, selected, current, selector, signal)));
        const good = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
        const failed = results.find((r) => r.status === 'rejected');
        status.currentMetrics = good.map((w) => w.current);
        const best = good.reduce<Wish | undefined>((a, b) => (!a || b.replicas > a.replicas ? b : a), undefined);
        if (failed) {
          const message = (failed.reason as Error).message;
          events(hpa as KubeObject, 'Warning', 'FailedGetResourceMetric', message);
          // Growing on what is known is safe; shrinking on half the figures is not.
          if (!best || best.replicas < current) {
            say('ScalingActive', 'False', 'FailedGetResourceMetric', `the HPA was unable to compute the replica count: ${message}`);
            return finish();
          }
        }
        if (!best) return finish();
        say('ScalingActive', 'True', 'ValidMetricFound', `the HPA was able to successfully calculate a replica count from ${best.name}`);
        const recent = (wishes.get(key) ?? [{ at: now, replicas: current }]).filter((w) => w.at > now - HISTORY_MS);
        recent.push({ at: now, replicas: best.replicas });
        wishes.set(key, recent);
        const limited = limitReplicas(hpa, current, best.replicas, recent, changes.get(key) ?? [], now);
        say('ScalingLimited', limited.reason === 'DesiredWithinRange' ? 'False' : 'True', limited.reason, limited.message);
        wanted = limited.replicas;
        why = wanted > current ? `${best.name} above target` : 'All metrics below target';
      }
      status.desiredReplicas = wanted;
      if (wanted !== current) {
        try {
          await scaled.update({ ...scale, spec: { ...scale.spec, replicas: wanted } }, { signal });
        } catch (error) {
          say('AbleToScale', 'False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${(error as Error).message}`);
          events(hpa as KubeObject, 'Warning', 'FailedRescale', `New size: ${wanted}; reason: ${why}; error: ${(error as Error).message}`);
          await finish();
          throw error;
        }
        say('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${wanted}`);
        events(hpa as KubeObject, 'Normal', 'SuccessfulRescale', `New size: ${wanted}; reason: ${why}`);
        changes.set(key, [...(changes.get(key) ?? []).filter((c) => c.at > now - HISTORY_MS), { at: now, replicas: wanted - current }]);
        status.lastScaleTime = time;
      } else if (findCondition(conditions, 'AbleToScale')?.reason === 'SucceededGetScale')
        say('AbleToScale', 'True', 'ReadyForNewScale', 'recommended size matches current size');
      return finish();
    },
  };
}

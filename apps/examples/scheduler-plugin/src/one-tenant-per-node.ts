import { definePlugin, noConfig, PluginPoint, type SchedulerPlugin, SchedulerPlugin as SchedulerPluginToken, success } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';

/** Pods that name a tenant share a node with pods of that tenant only. */
const tenant = (pod: { metadata: { labels?: Record<string, string> } }) => pod.metadata.labels?.['tenant'];

export const oneTenantPerNode: SchedulerPlugin = {
  name: 'OneTenantPerNode',
  // A pod that fits nowhere is tried again when a pod has left its node.
  events: [{ resource: 'AssignedPod', action: 'delete' }],
  filter: (_state, pod, node) =>
    node.pods.every((other) => tenant(other) === tenant(pod)) ? success : { code: 'unschedulable', reason: 'node(s) belonged to another tenant' },
  // Fill a tenant's nodes before taking a new one.
  score: (_state, _pod, node) => node.pods.length,
  weight: 100,
};

export const tenantScheduling = definePlugin({
  point: PluginPoint.scheduler,
  name: 'tenant-scheduling',
  description: 'keeps tenants on nodes of their own',
  sdk: '^0.1.0',
  config: noConfig,
  module: () => new ContainerModule(({ bind }) => void bind(SchedulerPluginToken).toConstantValue(oneTenantPerNode)),
});

import type { SchedulerPlugin } from '@coxswain/sdk';
import { dynamicResources } from '../dynamic-resources/dynamic-resources.js';
import type { SchedulerHandle } from '../framework/handle.js';
import { defaultPreemption } from '../preemption/default-preemption.js';
import { defaultBinder } from './default-binder.js';
import { imageLocality } from './image-locality.js';
import { interPodAffinity } from './inter-pod-affinity.js';
import { nodeAffinity } from './node-affinity.js';
import { nodeDeclaredFeatures } from './node-declared-features.js';
import { nodeName } from './node-name.js';
import { nodePorts } from './node-ports.js';
import { nodeResourcesBalancedAllocation, nodeResourcesFit } from './node-resources-fit.js';
import { nodeUnschedulable } from './node-unschedulable.js';
import { nodeVolumeLimits } from './node-volume-limits.js';
import { defaultPluginArgs, type PluginArgs } from './plugin-args.js';
import { podTopologySpread } from './pod-topology-spread.js';
import { prioritySort } from './priority-sort.js';
import { schedulingGates } from './scheduling-gates.js';
import { taintToleration } from './taint-toleration.js';
import { volumeBinding } from './volume-binding.js';
import { volumeRestrictions } from './volume-restrictions.js';

/** Upstream's default plugins in upstream's order and with its weights. */
export function defaultPlugins(handle: SchedulerHandle, args: PluginArgs = defaultPluginArgs): SchedulerPlugin[] {
  return [
    schedulingGates(),
    prioritySort(),
    nodeUnschedulable(),
    nodeName(),
    taintToleration(handle.view),
    nodeAffinity(args.NodeAffinity),
    nodePorts(),
    nodeResourcesFit(handle.view, args.NodeResourcesFit),
    volumeRestrictions(handle.view),
    nodeVolumeLimits(handle.view),
    volumeBinding(handle, args.VolumeBinding),
    podTopologySpread(handle.view, args.PodTopologySpread),
    interPodAffinity(handle.view, args.InterPodAffinity),
    // An idle claim is let go before a pod is driven out.
    dynamicResources(handle, args.DynamicResources),
    defaultPreemption(handle, args.DefaultPreemption),
    nodeResourcesBalancedAllocation(args.NodeResourcesBalancedAllocation),
    imageLocality(handle.view),
    defaultBinder(handle.actions),
    nodeDeclaredFeatures(),
  ];
}

import type { AdmissionPlugin } from '@coxswain/sdk';
import type { AdmissionEnv } from '../admission-env.js';
import type { AdmissionSettings } from '../admission-settings.js';
import { alwaysAdmit, alwaysDeny } from './always.js';
import { alwaysPullImages } from './always-pull-images.js';
import { denyServiceExternalIPs } from './deny-service-external-ips.js';
import { eventRateLimit } from './event-rate-limit.js';
import { extendedResourceToleration } from './extended-resource-toleration.js';
import { limitPodHardAntiAffinityTopology } from './limit-pod-hard-anti-affinity-topology.js';
import { namespaceExists } from './namespace-exists.js';
import { podNodeSelector } from './pod-node-selector.js';

/** Built-in plugins that run only when they are named; `AdmissionOrder` says who comes when. */
export function extraAdmission(env: AdmissionEnv, settings: AdmissionSettings = {}): AdmissionPlugin[] {
  return [
    alwaysAdmit(),
    namespaceExists(env),
    limitPodHardAntiAffinityTopology(),
    alwaysPullImages(),
    denyServiceExternalIPs(),
    extendedResourceToleration(),
    podNodeSelector(env, settings.podNodeSelector),
    eventRateLimit(env, settings.eventLimits),
    alwaysDeny(),
  ];
}

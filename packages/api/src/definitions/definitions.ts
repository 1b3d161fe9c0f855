import type { ResourceDefinition } from '../definition.js';
import { admissionregistration } from './admissionregistration/index.js';
import { apiextensions } from './apiextensions/index.js';
import { apiregistration } from './apiregistration/index.js';
import { apps } from './apps/index.js';
import { authentication } from './authentication/index.js';
import { authorization } from './authorization/index.js';
import { autoscaling } from './autoscaling/index.js';
import { batch } from './batch/index.js';
import { certificates } from './certificates/index.js';
import { coordination } from './coordination/index.js';
import { core } from './core/index.js';
import { discovery } from './discovery/index.js';
import { events } from './events/index.js';
import { flowcontrol } from './flowcontrol/index.js';
import { networking } from './networking/index.js';
import { node } from './node/index.js';
import { policy } from './policy/index.js';
import { rbac } from './rbac/index.js';
import { resource } from './resource/index.js';
import { scheduling } from './scheduling/index.js';
import { storage } from './storage/index.js';

/** Every built-in resource, in discovery order; within a group the preferred version comes first. */
export const definitions: readonly ResourceDefinition[] = [
  ...core,
  ...apiregistration,
  ...apps,
  ...events,
  ...authentication,
  ...authorization,
  ...autoscaling,
  ...batch,
  ...certificates,
  ...networking,
  ...policy,
  ...rbac,
  ...storage,
  ...admissionregistration,
  ...apiextensions,
  ...scheduling,
  ...coordination,
  ...node,
  ...discovery,
  ...flowcontrol,
  ...resource,
];

/** The definition of a kind; undefined when there is no such built-in. */
export function findDefinition(group: string, version: string, kind: string): ResourceDefinition | undefined {
  return definitions.find((each) => each.group === group && each.version === version && each.kind === kind);
}

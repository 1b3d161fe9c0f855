import type { ResourceStrategy } from '../definition.js';
import { defaultDaemonSet, defaultDeployment, defaultReplicaSet, defaultReplicationController, defaultStatefulSet } from '../defaults/apps.js';
import type { ControllerRevision, DaemonSet, Deployment, ReplicaSet, ReplicationController, StatefulSet } from '../generated/types.js';
import {
  validateControllerRevision,
  validateControllerRevisionUpdate,
  validateDaemonSet,
  validateDaemonSetUpdate,
  validateDeployment,
  validateDeploymentUpdate,
  validateReplicaSet,
  validateReplicaSetUpdate,
  validateReplicationController,
} from '../validation/apps.js';
import { validateStatefulSet, validateStatefulSetUpdate } from '../validation/stateful-set.js';
import { validateDaemonSetStatus, validateDeploymentStatus, validateReplicaSetStatus, validateStatefulSetStatus } from '../validation/workload-status.js';
import { podWarnings } from '../validation/pod/warnings.js';
import { deepEqual } from '../util/deep-equal.js';
import type { StrategyParts } from './lifecycle.js';
import { restore } from './lifecycle.js';
import { nameWarnings, onNewSpec } from './template-warnings.js';

type Templated = Deployment | ReplicaSet | DaemonSet | StatefulSet | ReplicationController;

const warnings = onNewSpec((object) => podWarnings((object as Templated).spec?.template, 'spec.template'));
const namedWarnings: ResourceStrategy['warnings'] = (object, old) => [...(old ? [] : nameWarnings(object)), ...warnings(object, old)];

const KEPT = 'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended';
const statefulSetWarnings: ResourceStrategy['warnings'] = (object, old) => [
  ...warnings(object, old),
  ...(((object as StatefulSet).spec?.revisionHistoryLimit ?? 0) < 0 ? [KEPT] : []),
];

export const deploymentStrategy: StrategyParts = {
  generationOf: ['spec'],
  generationOfMeta: 'annotations',
  default: (object) => defaultDeployment(object as Deployment),
  validate: (object, old) => validateDeployment(object as Deployment, old as Deployment | undefined),
  validateUpdate: (object, old) => validateDeploymentUpdate(object as Deployment, old as Deployment),
  warnings: namedWarnings,
};

/** The deployment's labels are not the status writer's to change. */
export const deploymentStatusStrategy: ResourceStrategy = {
  prepareForUpdate(object, old) {
    if (old.metadata.labels) object.metadata.labels = old.metadata.labels;
    else delete object.metadata.labels;
  },
  validateUpdate: validateDeploymentStatus,
};

export const replicaSetStatusStrategy: ResourceStrategy = { validateUpdate: validateReplicaSetStatus };
export const statefulSetStatusStrategy: ResourceStrategy = { validateUpdate: validateStatefulSetStatus };
export const daemonSetStatusStrategy: ResourceStrategy = { validateUpdate: validateDaemonSetStatus };

export const replicaSetStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultReplicaSet(object as ReplicaSet),
  validate: (object, old) => validateReplicaSet(object as ReplicaSet, old as ReplicaSet | undefined),
  validateUpdate: (object, old) => validateReplicaSetUpdate(object as ReplicaSet, old as ReplicaSet),
  warnings: namedWarnings,
};

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

/** The annotation in which v1 carries how often the template of a daemon set has changed. The server's to count. */
function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
}

const templateGeneration = ({ metadata }: DaemonSet): number => Math.max(0, Number(metadata.annotations?.[TEMPLATE_GENERATION] ?? 0) || 0);

export const daemonSetStrategy: StrategyParts = {
  generationOf: ['spec'],
  prepareForCreate: (object) => setTemplateGeneration(object as DaemonSet, Math.max(1, templateGeneration(object as DaemonSet))),
  prepareForUpdate(object, old) {
    const [set, before] = [object as DaemonSet, old as DaemonSet];
    const generation = templateGeneration(before);
    setTemplateGeneration(set, deepEqual(set.spec?.template, before.spec?.template) ? generation : generation + 1);
  },
  default: (object) => defaultDaemonSet(object as DaemonSet),
  validate: (object, old) => validateDaemonSet(object as DaemonSet, old as DaemonSet | undefined),
  validateUpdate: (object, old) => validateDaemonSetUpdate(object as DaemonSet, old as DaemonSet),
  warnings,
};

export const statefulSetStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultStatefulSet(object as StatefulSet),
  validate: (object) => validateStatefulSet(object as StatefulSet),
  validateUpdate: (object, old) => validateStatefulSetUpdate(object as StatefulSet, old as StatefulSet),
  warnings: statefulSetWarnings,
};

export const replicationControllerStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultReplicationController(object as ReplicationController),
  validate: (object, old) => validateReplicationController(object as ReplicationController, old as ReplicationController | undefined),
  warnings: namedWarnings,
  defaultDeletionPropagation: 'Orphan',
};

export const controllerRevisionStrategy: StrategyParts = {
  prepareForUpdate: (object, old) => {
    if (object.revision === undefined) restore(object, old, 'revision');
  },
  validate: (object) => validateControllerRevision(object as ControllerRevision),
  validateUpdate: (object, old) => validateControllerRevisionUpdate(object as ControllerRevision, old as ControllerRevision),
};

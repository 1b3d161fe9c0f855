import type { KubeObject } from '@coxswain/api';
import type { ServedResource } from '../registry/served-resource.js';

/** Note who set which fields with a create or update; changes `object.metadata.managedFields`. */
export function recordManager(_served: ServedResource, _old: KubeObject | undefined, _object: KubeObject, _manager: string, _subresource: string, _now: number): void {}

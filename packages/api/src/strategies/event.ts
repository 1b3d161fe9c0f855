import type { KubeObject } from '../definition.js';
import { toCoreEvent } from '../definitions/events/conversion.js';
import type { Event } from '../generated/types.js';
import { validateEvent, validateEventSeries, validateEventUpdate, validateNewEvent } from '../validation/event.js';
import type { StrategyParts } from './lifecycle.js';

export const eventStrategy: StrategyParts = {
  validate: (object) => validateEvent(object as Event, 'reportingComponent'),
  allowCreateOnUpdate: true,
};

const inCore = (object: KubeObject): Event => toCoreEvent(object) as Event;

/** events.k8s.io/v1 is stricter than core: it is what new clients write. */
export const eventsV1Strategy: StrategyParts = {
  validate: (object) => [...validateEvent(inCore(object), 'reportingController'), ...validateEventSeries(inCore(object))],
  validateNew: (object) => validateNewEvent(inCore(object)),
  validateUpdate: (object, old) => validateEventUpdate(inCore(object), inCore(old)),
  allowCreateOnUpdate: true,
};

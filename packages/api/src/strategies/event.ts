import type { Event } from '../generated/types.js';
import { toCoreEvent } from '../definitions/events/conversion.js';
import { validateEvent, validateEventsV1Create, validateEventUpdate } from '../validation/event.js';
import type { StrategyParts } from './lifecycle.js';

export const eventStrategy: StrategyParts = {
  validate: (object) => validateEvent(object as Event),
  allowCreateOnUpdate: true,
};

/** events.k8s.io/v1 is stricter than core: it is what new clients write. */
export const eventsV1Strategy: StrategyParts = {
  validate: (object) => [...validateEvent(toCoreEvent(object) as Event), ...validateEventsV1Create(toCoreEvent(object) as Event)],
  validateUpdate: (object, old) => validateEventUpdate(toCoreEvent(object) as Event, toCoreEvent(old) as Event),
  allowCreateOnUpdate: true,
};

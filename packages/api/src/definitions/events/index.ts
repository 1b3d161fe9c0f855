import { eventsV1Strategy } from '../../strategies/event.js';
import { eventColumns } from '../core/events.js';
import { defineGroup, selectable } from '../define.js';
import { fromCoreEvent, toCoreEvent } from './conversion.js';

export const events = defineGroup('events.k8s.io', 'v1', 'io.k8s.api.events.v1', [
  {
    kind: 'Event',
    resource: 'events',
    shortNames: ['ev'],
    strategy: eventsV1Strategy,
    selectableFields: selectable(
      'reason',
      'regarding.kind',
      'regarding.namespace',
      'regarding.name',
      'regarding.uid',
      'regarding.apiVersion',
      'regarding.resourceVersion',
      'regarding.fieldPath',
      'reportingController',
      'type',
    ),
    columns: eventColumns.map((each) => ({ ...each, cell: (object, now) => each.cell(toCoreEvent(object), now) })),
    storageVersion: { group: '', version: 'v1', kind: 'Event' },
    toStorage: toCoreEvent,
    fromStorage: fromCoreEvent,
  },
]);

import type { Event } from '../../generated/types.js';
import { column, nameColumn } from '../../printing/column.js';
import { ageOf } from '../../printing/human-duration.js';
import { eventStrategy } from '../../strategies/event.js';
import { type Row, selectable } from '../define.js';

const firstSeen = (event: Event, now: number): string => ageOf(event.firstTimestamp || event.eventTime, now);

function lastSeen(event: Event, now: number): string {
  if (event.series?.lastObservedTime) return ageOf(event.series.lastObservedTime, now);
  return event.lastTimestamp ? ageOf(event.lastTimestamp, now) : firstSeen(event, now);
}

function source({ source: from, reportingComponent, reportingInstance }: Event): string {
  const component = from?.component || reportingComponent || '';
  const host = from?.host || reportingInstance || '';
  return host ? `${component}, ${host}` : component;
}

/** Shared by events/v1, whose objects are shown in this form. */
export const eventColumns = [
  column<Event>('Last Seen', lastSeen),
  column<Event>('Type', ({ type }) => type ?? ''),
  column<Event>('Reason', ({ reason }) => reason ?? ''),
  column<Event>('Object', ({ involvedObject }) => {
    const kind = (involvedObject?.kind ?? '').toLowerCase();
    return involvedObject?.name ? `${kind}/${involvedObject.name}` : kind;
  }),
  column<Event>('Subobject*', ({ involvedObject }) => involvedObject?.fieldPath ?? ''),
  column<Event>('Source*', source),
  column<Event>('Message', ({ message }) => (message ?? '').trim()),
  column<Event>('First Seen*', firstSeen),
  column<Event>('Count*', ({ series, count }) => String(series?.count ?? (count || 1))),
  { ...nameColumn, priority: 1 },
];

export const events: Row = {
  kind: 'Event',
  resource: 'events',
  shortNames: ['ev'],
  strategy: eventStrategy,
  selectableFields: {
    ...selectable(
      'involvedObject.kind',
      'involvedObject.namespace',
      'involvedObject.name',
      'involvedObject.uid',
      'involvedObject.apiVersion',
      'involvedObject.resourceVersion',
      'involvedObject.fieldPath',
      'reason',
      'reportingComponent',
      'type',
    ),
    source: (object) => object.source?.component || object.reportingComponent || '',
  },
  columns: eventColumns,
};

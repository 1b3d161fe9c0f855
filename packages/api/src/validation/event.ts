import type { FieldError } from '../field-error.js';
import type { Event } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { invalid, invalids, required } from './errors.js';
import { byteLength, isQualifiedName } from './names.js';
import { IMMUTABLE } from './object-meta.js';

const MAX_TEXT = 128;
const MAX_MESSAGE = 1024;

/** What core/v1 and events/v1 share. Takes the core form; `reporter` is what the version calls who reports. */
export function validateEvent(event: Event, reporter: 'reportingComponent' | 'reportingController'): FieldError[] {
  const namespace = event.involvedObject?.namespace ?? '';
  const own = event.metadata.namespace ?? '';
  const isNew = Boolean(event.eventTime);
  const errors: FieldError[] = [];
  if (namespace === '' ? !['default', 'kube-system'].includes(own) : !isNew && namespace !== own) {
    errors.push(invalid('involvedObject.namespace', namespace, 'does not match event.namespace'));
  }
  return isNew ? [...errors, ...validateReport(event, reporter)] : errors;
}

/** Events that say when, in whatever version, say who, what and why. */
function validateReport(event: Event, reporter: string): FieldError[] {
  const { reportingComponent = '' } = event;
  const errors = reportingComponent ? [] : [required(reporter)];
  errors.push(...invalids(reporter, reportingComponent, isQualifiedName(reportingComponent)));
  for (const key of ['reportingInstance', 'action', 'reason'] as const) {
    const value = event[key] ?? '';
    if (!value) errors.push(required(key));
    else if (byteLength(value) > MAX_TEXT) errors.push(invalid(key, '', `can have at most ${MAX_TEXT} characters`));
  }
  if (byteLength(event.message ?? '') > MAX_MESSAGE) errors.push(invalid('message', '', `can have at most ${MAX_MESSAGE} characters`));
  return errors;
}

/** In events/v1 a series is one. */
export function validateEventSeries({ series }: Event): FieldError[] {
  if (!series) return [];
  const errors = (series.count ?? 0) < 2 ? [invalid('series.count', '', 'should be at least 2')] : [];
  return series.lastObservedTime ? errors : [...errors, required('series.lastObservedTime')];
}

/** A new event of events/v1 says when, of what type it is, and nothing in the fields it took over from core. */
export function validateNewEvent(event: Event): FieldError[] {
  const errors = event.eventTime ? [] : [required('eventTime')];
  if (event.type !== 'Normal' && event.type !== 'Warning') errors.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  const source = event.source && Object.values(event.source).some(Boolean);
  for (const [key, given] of [
    ['firstTimestamp', event.firstTimestamp],
    ['lastTimestamp', event.lastTimestamp],
    ['count', event.count],
    ['source', source],
  ] as const) {
    if (given) errors.push(invalid(key, '', 'needs to be unset'));
  }
  return errors;
}

/** Of an event only its series goes on. */
export function validateEventUpdate(event: Event, old: Event): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of ['involvedObject', 'reason', 'message', 'reportingComponent', 'reportingInstance', 'action', 'type', 'related', 'eventTime'] as const) {
    if (!deepEqual(event[key], old[key])) errors.push(invalid(key, event[key], IMMUTABLE));
  }
  return errors;
}

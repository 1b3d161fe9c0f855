import type { FieldError } from '../field-error.js';
import type { Event } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { invalid, invalids, required, tooLong } from './errors.js';
import { byteLength, isQualifiedName } from './names.js';
import { IMMUTABLE } from './object-meta.js';

/** What core/v1 and events/v1 share. Takes the core form. */
export function validateEvent({ metadata, involvedObject, series }: Event): FieldError[] {
  const errors: FieldError[] = [];
  const namespace = involvedObject?.namespace ?? '';
  if (namespace === '' ? !['default', 'kube-system'].includes(metadata.namespace ?? '') : namespace !== metadata.namespace) {
    errors.push(invalid('involvedObject.namespace', namespace, 'does not match event.namespace'));
  }
  if (series && !(series.count && series.count >= 2)) errors.push(invalid('series.count', '', 'should be at least 2'));
  if (series && !series.lastObservedTime) errors.push(required('series.lastObservedTime'));
  return errors;
}

/** New-style events say when, who, what and why. */
export function validateEventsV1Create(event: Event): FieldError[] {
  const errors: FieldError[] = [];
  if (!event.eventTime) return [required('eventTime')];
  if (!event.reportingComponent) errors.push(required('reportingController'));
  else errors.push(...invalids('reportingController', event.reportingComponent, isQualifiedName(event.reportingComponent)));
  for (const [key, value, max] of [
    ['reportingInstance', event.reportingInstance, 128],
    ['action', event.action, 128],
    ['reason', event.reason, 128],
  ] as const) {
    if (!value) errors.push(required(key));
    else if (byteLength(value) > max) errors.push(invalid(key, '', `can have at most ${max} characters`));
  }
  if (byteLength(event.message ?? '') > 1024) errors.push(tooLong('note', 1024));
  if (event.type !== 'Normal' && event.type !== 'Warning') errors.push(invalid('type', '', 'has invalid value: ' + (event.type ?? '')));
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

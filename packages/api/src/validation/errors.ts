import type { FieldError, FieldErrorType } from '../field-error.js';

/** Builders of FieldErrors with the texts upstream prints. `field` is the path, `value` the refused value as JSON. */

export const required = (field: string, detail = ''): FieldError => make('FieldValueRequired', field, 'Required value', detail);

export const invalid = (field: string, value: unknown, detail: string): FieldError => make('FieldValueInvalid', field, `Invalid value: ${show(value)}`, detail);

/** Values that do not go together: none of them is shown. */
export const invalidRelation = (field: string, detail: string): FieldError => make('FieldValueInvalid', field, 'Invalid value', detail);

export const typeInvalid = (field: string, value: unknown, detail: string): FieldError =>
  make('FieldValueTypeInvalid', field, `Invalid value: ${show(value)}`, detail);

export const notFound = (field: string, value: unknown, detail = ''): FieldError => make('FieldValueNotFound', field, `Not found: ${show(value)}`, detail);

export const duplicate = (field: string, value: unknown): FieldError => make('FieldValueDuplicate', field, `Duplicate value: ${show(value)}`, '');

/** `supported` keeps its order in the text; upstream sorts it. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError =>
  make(
    'FieldValueNotSupported',
    field,
    `Unsupported value: ${show(value)}`,
    supported.length === 0 ? '' : `supported values: ${supported.map((text) => JSON.stringify(text)).join(', ')}`,
  );

export const forbidden = (field: string, detail: string): FieldError => make('FieldValueForbidden', field, 'Forbidden', detail);

/** `max` in bytes. */
export const tooLong = (field: string, max: number): FieldError =>
  make('FieldValueTooLong', field, 'Too long', `may not be more than ${max} byte${max === 1 ? '' : 's'}`);

export const tooMany = (field: string, actual: number, max: number): FieldError =>
  make('FieldValueTooMany', field, `Too many: ${actual}`, `must have at most ${max} item${max === 1 ? '' : 's'}`);

export const internal = (field: string, detail: string): FieldError => make('InternalError', field, 'Internal error', detail);

/** A list or map that is not there is `null`; anything else that is not (`undefined`) upstream shows as a text. */
const show = (value: unknown): string => (value === undefined ? '"null"' : JSON.stringify(value));

const make = (type: FieldErrorType, field: string, message: string, detail: string): FieldError => ({
  type,
  field,
  message: detail === '' ? message : `${message}: ${detail}`,
});

/** One `invalid` for each message of a syntax check. */
export const invalids = (field: string, value: unknown, messages: readonly string[]): FieldError[] => messages.map((message) => invalid(field, value, message));

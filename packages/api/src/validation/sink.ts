import type { FieldError } from '../field-error.js';
import { invalid, notSupported, required } from './errors.js';
import type { SyntaxCheck } from './names.js';

/** Where the checks of hot kinds put what they find, so that an object without errors costs no lists. */
export type Sink = FieldError[];

/** One `invalid` for each message of a syntax check. */
export function addSyntax(sink: Sink, field: string, value: string, messages: readonly string[]): void {
  for (const message of messages) sink.push(invalid(field, value, message));
}

/** Required, and of a syntax. */
export function addText(sink: Sink, field: string, value: string | undefined, check?: SyntaxCheck): void {
  if (!value) sink.push(required(field));
  else if (check) addSyntax(sink, field, value, check(value));
}

/** Required, and one of a list. */
export function addEnum(sink: Sink, field: string, value: string | undefined, supported: readonly string[]): void {
  if (!value) sink.push(required(field));
  else if (!supported.includes(value)) sink.push(notSupported(field, value, supported));
}

/** One of a list when present. */
export function addOptionalEnum(sink: Sink, field: string, value: string | undefined, supported: readonly string[]): void {
  if (value !== undefined && !supported.includes(value)) sink.push(notSupported(field, value, supported));
}

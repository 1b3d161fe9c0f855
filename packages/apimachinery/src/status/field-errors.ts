import type { FieldError } from '@coxswain/api';

/** One field error as text; an empty field prints as upstream's nil path does. */
export const formatFieldError = (e: FieldError): string => `${e.field === '' ? '<nil>' : e.field}: ${e.message}`;

/** All of them as one text: duplicates once; more than one in brackets. */
export function formatFieldErrors(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(formatFieldError))];
  return texts.length === 1 ? (texts[0] as string) : `[${texts.join(', ')}]`;
}

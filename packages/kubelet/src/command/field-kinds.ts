import type { Field, KubeletSettings } from './kubelet-settings.js';
import { ms, record, type Take } from './takes.js';

/** A field whose value, also a zero, is meant (a pointer in upstream's types). */
export function given<K extends keyof KubeletSettings>(name: K, take: Take<NonNullable<KubeletSettings[K]>>): Field {
  return (value) => ({ [name]: take(value) });
}

/** A field whose zero (0, "", "0s", false, nothing in it) asks for upstream's default. */
export function orDefault<K extends keyof KubeletSettings>(name: K, take: Take<NonNullable<KubeletSettings[K]>>): Field {
  return (value) => (isZero(value) ? {} : { [name]: take(value) });
}

/** A duration that is an option in milliseconds; zero asks for upstream's default. */
export const duration =
  (name: keyof KubeletSettings): Field =>
  (value) => {
    const time = isZero(value) || isNoTime(value) ? 0 : ms(value);
    return time === 0 ? {} : { [name]: time };
  };

/** A field with one answer here: zero and values that ask for what is done anyway are taken, others refused with the reason. */
export function settled(takes: readonly unknown[], because: string): Field {
  return (value) => {
    if (isZero(value) || isNoTime(value) || takes.includes(value)) return {};
    throw new TypeError(`${because} (takes ${takes.length > 0 ? takes.map((t) => JSON.stringify(t)).join(' or ') : 'nothing'})`);
  };
}

/** As `settled`, for a pointer in upstream's types: false and 0 are meant, too. */
export function settledStrictly(takes: readonly unknown[], because: string): Field {
  return (value) => {
    if (takes.includes(value)) return {};
    throw new TypeError(`${because} (takes ${takes.map((t) => JSON.stringify(t)).join(' or ')})`);
  };
}

/** A field that changes nothing here, as it does in upstream or because it tunes what there is not; its form is checked. */
export function noEffect(check: Take<unknown>): Field {
  return (value) => {
    if (!isZero(value)) check(value);
    return {};
  };
}

function isZero(value: unknown): boolean {
  if (value === null || value === 0 || value === '' || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.values(record(value)).every(isZero);
}

const isNoTime = (value: unknown) => value === '0s' || value === '0';

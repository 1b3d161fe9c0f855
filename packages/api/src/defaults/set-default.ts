/** Sets a field that is absent (or null). */
export function setDefault<T extends object, K extends keyof T>(target: T, key: K, value: NonNullable<T[K]>): void {
  if (target[key] === undefined || target[key] === null) target[key] = value;
}

/** Sets a text field that is absent or empty, as fields without presence are defaulted upstream. */
export function setDefaultText<T extends object, K extends keyof T>(target: T, key: K, value: NonNullable<T[K]>): void {
  if (!target[key]) target[key] = value;
}

/** Most requests are answered without waiting for anything: a promise is made only when there is something to wait for. */
export type MaybePromise<T> = T | Promise<T>;

export function mapMaybe<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

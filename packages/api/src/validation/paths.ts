import { invalid } from './errors.js';
import type { Sink } from './sink.js';

/** No element of the path goes up. */
export function addNoBacksteps(sink: Sink, field: string, path: string): void {
  if (path.includes('..') && path.split('/').includes('..')) sink.push(invalid(field, path, "must not contain '..'"));
}

/** A path that stays below where it starts. */
export function addDescendingPath(sink: Sink, field: string, path: string): void {
  if (path.startsWith('/')) sink.push(invalid(field, path, 'must be a relative path'));
  addNoBacksteps(sink, field, path);
}

/** The same, and none of the names that volumes keep for themselves. */
export function addLocalPath(sink: Sink, field: string, path: string): void {
  addDescendingPath(sink, field, path);
  if (path.startsWith('..') && !path.startsWith('../')) sink.push(invalid(field, path, "must not start with '..'"));
}

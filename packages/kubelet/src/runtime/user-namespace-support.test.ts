import { describe, expect, it } from 'vitest';
import { requireUserNamespaces } from './user-namespace-support.js';

const handlers = [
  { name: '', recursiveReadOnlyMounts: true, userNamespaces: true },
  { name: 'old', recursiveReadOnlyMounts: true, userNamespaces: false },
];

describe('user namespaces', () => {
  it('are there where the handler says so', () => expect(() => requireUserNamespaces({ handlers }, '')).not.toThrow());
  it.each([
    [{ handlers }, 'old', 'can\'t set `spec.hostUsers: false`, RuntimeClass handler "old" does not support user namespaces'],
    [{ handlers }, 'new', 'RuntimeClass handler "new" does not support user namespaces: the handler "new" is not known'],
    [{ handlers: handlers.slice(1) }, '', "can't set `spec.hostUsers: false`, runtime does not support user namespaces"],
    [undefined, '', 'has not told its handlers yet'],
  ])('are refused otherwise (%#)', (facts, handler, reason) => expect(() => requireUserNamespaces(facts, handler)).toThrow(reason));
});

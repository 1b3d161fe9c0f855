import type { RuntimeFacts } from '../node/node-object.js';

/** Throws, in upstream's words, unless the runtime says that pods of this handler can have user namespaces. Pure. */
export function requireUserNamespaces(facts: Pick<RuntimeFacts, 'handlers'> | undefined, handler: string): void {
  const found = facts?.handlers.find((h) => h.name === handler);
  if (found?.userNamespaces) return;
  const who = handler === '' ? 'runtime' : `RuntimeClass handler "${handler}"`;
  const why = !facts ? ': the runtime has not told its handlers yet' : found ? '' : `: the handler "${handler}" is not known`;
  throw new Error(`can't set \`spec.hostUsers: false\`, ${who} does not support user namespaces${why}`);
}

/**
 * A typed key for Inversify: `interface StateStore` and `const StateStore = token<StateStore>('…')` share one name.
 * The phantom property carries the type only.
 */
export type Token<T> = symbol & { readonly __type?: T };

/** Make a token. The id is versioned (`coxswain.<point>.v<major>`) and global: two copies of the SDK agree on it. */
export function token<T>(id: string): Token<T> {
  return Symbol.for(id) as Token<T>;
}

/** The id a token was made from, for messages. */
export function tokenId(t: Token<unknown>): string {
  return Symbol.keyFor(t) ?? String(t);
}

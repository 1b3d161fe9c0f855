/** A search that cannot be made: the message names the parameter and what is wrong with it. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

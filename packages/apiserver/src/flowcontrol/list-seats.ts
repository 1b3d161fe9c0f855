const BYTES_PER_SEAT = 100_000;
/** Lists are streamed from the cache: never more than this at once is held for one of them. */
const MAX_HELD_BYTES = 1_000_000;

export interface ListEstimate {
  readonly objects: number;
  readonly averageBytes: number;
  /** How many the client wants at most. */
  readonly limit: number | undefined;
  /** The list is of one object by its name. */
  readonly single: boolean;
}

/** Seats a list takes by the size of what it answers, as upstream estimates lists from its cache; the caller bounds them. */
export function listSeats({ objects, averageBytes, limit, single }: ListEstimate): number {
  const listed = single ? 1 : limit ? Math.min(limit, objects) : objects;
  return Math.max(1, Math.ceil(Math.min(listed * averageBytes, MAX_HELD_BYTES) / BYTES_PER_SEAT));
}

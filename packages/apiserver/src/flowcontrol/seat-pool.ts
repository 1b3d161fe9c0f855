import { ApiError } from '@coxswain/apimachinery';
import type { Clock } from '@coxswain/sdk';

export interface LevelSettings {
  readonly name: string;
  readonly exempt: boolean;
  readonly shares: number;
  readonly lendablePercent: number;
  /** Absent: what finds no seat is refused. */
  readonly queuing?: { readonly queues: number; readonly handSize: number; readonly queueLengthLimit: number };
}

interface Waiter {
  readonly seats: number;
  readonly seated: () => void;
  readonly cancel: () => void;
}

/** A priority level with its seats and, for each flow, those who wait. */
class Level {
  seats = 0;
  /** What others can never take. */
  kept = 0;
  /** Seats that are taken. */
  executing = 0;
  waiting = 0;
  /** In the order in which flows are served: one request of a flow, then the flow goes to the end. */
  readonly flows = new Map<string, Waiter[]>();

  constructor(public settings: LevelSettings) {}
}

/** Of a level's seats, the part that one request may take, and how many at most. */
const PART_OF_LEVEL = 0.15;
const MAX_SEATS = 10;

/** How long a request may wait for its seats. */
const MAX_WAIT_MS = 15_000;

const tooMany = () => ApiError.tooManyRequests('Too many requests, please try again later.', 1);

/**
 * Seats for requests, shared out among priority levels. A level always gets its own seats, less those it lends while it does not need
 * them; inside a level flows take turns, so that a busy client delays itself and nobody else.
 */
export class SeatPool {
  readonly #levels = new Map<string, Level>();

  constructor(
    /** Requests at a time; 0: no limit. */
    readonly total: number,
    readonly clock: Clock,
  ) {}

  configure(all: readonly LevelSettings[]): void {
    const sum = all.reduce((shares, level) => shares + (level.exempt ? 0 : level.shares), 0);
    for (const settings of all) {
      let level = this.#levels.get(settings.name);
      if (!level) this.#levels.set(settings.name, (level = new Level(settings)));
      level.settings = settings;
      level.seats = settings.exempt || sum === 0 ? 0 : Math.ceil((this.total * settings.shares) / sum);
      level.kept = level.seats - Math.round((level.seats * settings.lendablePercent) / 100);
    }
    const names = new Set(all.map(({ name }) => name));
    for (const [name, level] of this.#levels) if (!names.has(name) && level.executing === 0 && level.waiting === 0) this.#levels.delete(name);
  }

  /** How many seats of a level one request can take. */
  mostSeats(name: string): number {
    const level = this.#levels.get(name);
    if (!level || level.settings.exempt) return 1;
    const share = Math.ceil(level.seats * PART_OF_LEVEL);
    const { queuing } = level.settings;
    return Math.max(1, Math.min(MAX_SEATS, queuing ? Math.min(share, Math.floor(level.seats / queuing.handSize)) : share));
  }

  /** Undefined: go ahead. Else resolves when it is this request's turn; throws or rejects with 429. The seats are given back with `leave`. */
  enter(name: string, flow: string, seats = 1): Promise<void> | undefined {
    const level = this.#levels.get(name);
    if (!level || this.total === 0) return undefined;
    if (level.settings.exempt || (level.waiting === 0 && this.#hasSeats(level, seats))) {
      level.executing += seats;
      return undefined;
    }
    const { queuing } = level.settings;
    if (!queuing) throw tooMany();
    const queue = level.flows.get(flow);
    const { queues, handSize, queueLengthLimit } = queuing;
    if (level.waiting >= queues * queueLengthLimit || (queue?.length ?? 0) >= handSize * queueLengthLimit) throw tooMany();
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { seats, seated: resolve, cancel: this.clock.setTimeout(() => this.#giveUp(level, flow, waiter, reject), MAX_WAIT_MS) };
      if (queue) queue.push(waiter);
      else level.flows.set(flow, [waiter]);
      level.waiting++;
    });
  }

  leave(name: string, seats = 1): void {
    const level = this.#levels.get(name);
    if (!level || this.total === 0) return;
    // A level that came while the request was under way has not counted it.
    level.executing = Math.max(0, level.executing - seats);
    if (level.settings.exempt) return;
    this.#serve(level);
    // A seat that was lent, or could be now.
    for (const other of this.#levels.values()) if (other !== level) this.#serve(other);
  }

  counts(): { readonly name: string; readonly seats: number; readonly executing: number; readonly waiting: number }[] {
    return [...this.#levels].map(([name, { seats, executing, waiting }]) => ({ name, seats, executing, waiting }));
  }

  #hasSeats(level: Level, wanted: number): boolean {
    if (level.executing + wanted <= level.seats) return true;
    let taken = level.executing + wanted;
    for (const other of this.#levels.values()) if (other !== level && !other.settings.exempt) taken += Math.max(other.executing, other.kept);
    return taken <= this.total;
  }

  #serve(level: Level): void {
    while (level.waiting > 0) {
      const [flow, queue] = level.flows.entries().next().value as [string, Waiter[]];
      const waiter = queue[0] as Waiter;
      // Nobody overtakes who wants more.
      if (!this.#hasSeats(level, waiter.seats)) return;
      queue.shift();
      level.flows.delete(flow);
      if (queue.length > 0) level.flows.set(flow, queue);
      level.waiting--;
      level.executing += waiter.seats;
      waiter.cancel();
      waiter.seated();
    }
  }

  #giveUp(level: Level, flow: string, waiter: Waiter, reject: (error: Error) => void): void {
    const queue = level.flows.get(flow);
    const at = queue?.indexOf(waiter) ?? -1;
    if (!queue || at < 0) return;
    queue.splice(at, 1);
    if (queue.length === 0) level.flows.delete(flow);
    level.waiting--;
    reject(tooMany());
  }
}

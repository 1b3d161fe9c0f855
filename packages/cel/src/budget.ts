/** How much one evaluation may cost: about one for each step, more for what goes through long values. */
export class Budget {
  #left: number;

  constructor(readonly limit: number) {
    this.#left = limit;
  }

  get left(): number {
    return this.#left;
  }

  get exhausted(): boolean {
    return this.#left < 0;
  }

  /** Throws when there is nothing left. */
  spend(cost: number): void {
    this.#left -= cost;
    if (this.#left < 0) throw new BudgetExceeded();
  }
}

export class BudgetExceeded extends Error {
  override readonly name = 'BudgetExceeded';

  constructor() {
    super('operation cancelled: actual cost limit exceeded');
  }
}

/** Limits as upstream sets them: one expression, and all expressions over one object. */
export const PER_CALL_LIMIT = 1_000_000;
export const RUNTIME_BUDGET = 10_000_000;

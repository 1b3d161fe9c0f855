import { BehaviorSubject, type Observable } from 'rxjs';

export type ComponentPhase = 'stopped' | 'starting' | 'ready' | 'degraded' | 'stopping' | 'failed';

export interface ComponentState {
  readonly phase: ComponentPhase;
  /** Why it is degraded or failed. */
  readonly message?: string;
}

/**
 * Something with a life: an API server, a controller, a proxy.
 *
 * Contract:
 * - `start` resolves when the component is ready to serve (listening, caches synced); it rejects, having undone what it did, when
 *   it cannot. `signal` cancels the start only, not the running component.
 * - `stop` is idempotent, also before `start`; it stops taking work, awaits what is in flight and releases everything, at the
 *   latest when `deadline` aborts.
 * - A component never exits the process. A terminal error while running turns `state$` to `failed`; the host decides.
 */
export interface Component {
  readonly name: string;
  /** Replays the latest state. Never errors, never completes before `stop`. */
  readonly state$: Observable<ComponentState>;
  start(signal: AbortSignal): Promise<void>;
  stop(deadline: AbortSignal): Promise<void>;
}

/** The state cell behind a component's `state$`. */
export class ComponentStateCell {
  readonly #subject = new BehaviorSubject<ComponentState>({ phase: 'stopped' });
  readonly state$: Observable<ComponentState> = this.#subject.asObservable();

  get current(): ComponentState {
    return this.#subject.value;
  }

  set(phase: ComponentPhase, message?: string): void {
    const now = this.#subject.value;
    if (now.phase === phase && now.message === message) return;
    this.#subject.next(message === undefined ? { phase } : { phase, message });
  }
}

/** The two functions a simple component is made of. `start` returns its undo. */
export function defineComponent(name: string, start: (signal: AbortSignal) => Promise<(deadline: AbortSignal) => Promise<void>>): Component {
  const cell = new ComponentStateCell();
  let undo: ((deadline: AbortSignal) => Promise<void>) | undefined;
  return {
    name,
    state$: cell.state$,
    async start(signal) {
      if (undo) return;
      cell.set('starting');
      try {
        undo = await start(signal);
      } catch (error) {
        cell.set('failed', (error as Error).message);
        throw error;
      }
      cell.set('ready');
    },
    async stop(deadline) {
      const run = undo;
      undo = undefined;
      if (!run) return;
      cell.set('stopping');
      try {
        await run(deadline);
      } finally {
        cell.set('stopped');
      }
    },
  };
}

/** What lives between one `start` of a component and its `stop`. `stop` is called for a `start` that failed, too. */
export interface ComponentRun {
  start(signal: AbortSignal): Promise<void>;
  stop(deadline: AbortSignal): Promise<void>;
}

/** A component each start of which makes a run of its own: nothing of the last one is left in it. */
export abstract class RunsComponent<R extends ComponentRun> implements Component {
  abstract readonly name: string;
  readonly #cell = new ComponentStateCell();
  readonly state$: Observable<ComponentState> = this.#cell.state$;
  #running: R | undefined;

  protected abstract makeRun(): R;

  /** Undefined until it has started, and once it is stopped. */
  protected get running(): R | undefined {
    return this.#running;
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#running) return;
    this.#cell.set('starting');
    const run = this.makeRun();
    try {
      await run.start(signal);
    } catch (error) {
      // Why it did not start is what is told.
      await run.stop(AbortSignal.abort()).catch(() => {});
      this.#cell.set('failed', (error as Error).message);
      throw error;
    }
    this.#running = run;
    this.#cell.set('ready');
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const run = this.#running;
    this.#running = undefined;
    if (!run) return;
    this.#cell.set('stopping');
    await run.stop(deadline);
    this.#cell.set('stopped');
  }
}

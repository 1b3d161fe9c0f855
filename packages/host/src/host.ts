import 'reflect-metadata';
import { Clock, type Component, type ComponentState, Logger, type PluginUse, Random, silentLogger, systemClock, systemRandom, type Token } from '@coxswain/sdk';
import { Container, type ContainerModule } from 'inversify';
import { combineLatest, map, type Observable, of } from 'rxjs';
import { checkComposition, checkRequirements } from './check.js';
import { ComponentError, HostError } from './host-error.js';
import { type StartedComponent, startInOrder, stopInReverse } from './lifecycle.js';
import { validateConfigs } from './load-config.js';
import { dependencyLevels } from './order.js';
import type { ComponentRecipe } from './recipe.js';

export interface HostOptions {
  readonly plugins?: readonly PluginUse[];
  readonly components: readonly ComponentRecipe[];
  /** Bindings of the composition root itself: values and factories that are not plugins. */
  readonly modules?: readonly ContainerModule[];
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  /** How long all stops together may take. */
  readonly stopDeadlineMs?: number;
  readonly onStarted?: (started: StartedComponent) => void;
}

/** The states of all components by name. */
export type HostState = Readonly<Record<string, ComponentState>>;

/**
 * A checked and resolved composition. Nothing runs before `start`. `stop` is idempotent and also closes what plugins opened.
 */
export interface Host extends AsyncDisposable {
  readonly components: readonly Component[];
  readonly state$: Observable<HostState>;
  /** Resolves a token; for composition roots and tests, never for components. */
  get<T>(token: Token<T>): Promise<T>;
  /** Everything bound to a token; an empty list when nothing is. */
  getAll<T>(token: Token<T>): Promise<readonly T[]>;
  start(signal?: AbortSignal): Promise<void>;
  /** Rejects with one AggregateError when something did not stop cleanly; everything has been tried by then. */
  stop(): Promise<void>;
}

/** Check the composition, validate all configuration, load and resolve. Throws `HostError` with every problem at once. */
export async function createHost(options: HostOptions): Promise<Host> {
  const plugins = options.plugins ?? [];
  const { configured, problems: configProblems } = await validateConfigs(plugins);
  const problems = [...checkComposition(plugins, options.components), ...configProblems];
  if (problems.length > 0) throw new HostError(problems);

  const container = new Container({ defaultScope: 'Singleton' });
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  container.bind(Clock).toConstantValue(clock);
  container.bind(Random).toConstantValue(options.random ?? systemRandom);
  container.bind(Logger).toConstantValue(logger);
  for (const { use, config } of configured) await container.load((use.plugin.module as (config: unknown) => ContainerModule)(config));
  for (const module of options.modules ?? []) await container.load(module);
  const missing = checkRequirements(plugins, options.components, (token) => container.isBound(token));
  if (missing.length > 0) throw new HostError(missing);

  return new RunningHost(container, options, clock, logger).resolve();
}

class RunningHost implements Host {
  #components = new Map<string, Component>();
  #started: Component[] = [];
  /** Plugin values that want closing, in order of resolution. */
  readonly #opened: { name: string; close: () => Promise<void> }[] = [];
  readonly #seen = new Set<unknown>();
  #stopping: Promise<void> | undefined;

  constructor(
    readonly container: Container,
    readonly options: HostOptions,
    readonly clock: Clock,
    readonly logger: Logger,
  ) {}

  get components(): readonly Component[] {
    return [...this.#components.values()];
  }

  get state$(): Observable<HostState> {
    const entries = [...this.#components];
    if (entries.length === 0) return of({});
    return combineLatest(entries.map(([, c]) => c.state$)).pipe(
      map((states) => Object.fromEntries(entries.map(([name], i) => [name, states[i] as ComponentState]))),
    );
  }

  async resolve(): Promise<this> {
    for (const level of dependencyLevels(this.options.components).levels) {
      for (const recipe of level) {
        try {
          const resolved: unknown[] = [];
          for (const need of recipe.needs) resolved.push(typeof need === 'symbol' ? await this.get(need) : await this.getAll(need.all));
          this.#components.set(recipe.name, await recipe.create(...(resolved as never[])));
        } catch (error) {
          const failure = new ComponentError(recipe.name, 'create', error);
          const closing = await this.#closeOpened();
          throw closing.length === 0 ? failure : new AggregateError([failure, ...closing], failure.message);
        }
      }
    }
    return this;
  }

  async get<T>(token: Token<T>): Promise<T> {
    return this.#remember(token, await this.container.getAsync<T>(token));
  }

  async getAll<T>(token: Token<T>): Promise<readonly T[]> {
    if (!this.container.isBound(token)) return [];
    return (await this.container.getAllAsync<T>(token)).map((value) => this.#remember(token, value));
  }

  #remember<T>(token: Token<T>, value: T): T {
    const close = closerOf(value);
    if (close && !this.#seen.has(value)) {
      this.#seen.add(value);
      this.#opened.push({ name: Symbol.keyFor(token) ?? String(token), close });
    }
    return value;
  }

  async start(signal: AbortSignal = new AbortController().signal): Promise<void> {
    const levels = dependencyLevels(this.options.components).levels.map((level) =>
      level.map((r) => this.#components.get(r.name)).filter((c) => c !== undefined),
    );
    try {
      this.#started = await startInOrder(levels, signal, this.#lifecycle(), this.#stopDeadlineMs);
    } catch (error) {
      await this.#closeOpened();
      throw error;
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const started = this.#started;
    this.#started = [];
    const failures: Error[] = await stopInReverse(started, this.#stopDeadlineMs, this.#lifecycle());
    failures.push(...(await this.#closeOpened()));
    if (failures.length > 0) throw new AggregateError(failures, failures.map((e) => e.message).join('; '));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #closeOpened(): Promise<ComponentError[]> {
    const failures: ComponentError[] = [];
    for (const { name, close } of this.#opened.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        failures.push(new ComponentError(name, 'stop', error));
      }
    }
    return failures;
  }

  get #stopDeadlineMs(): number {
    return this.options.stopDeadlineMs ?? 30_000;
  }

  #lifecycle() {
    const { clock, logger } = this;
    const { onStarted } = this.options;
    return onStarted ? { clock, logger, onStarted } : { clock, logger };
  }
}

/** What a resolved value offers for closing: `Symbol.asyncDispose`, or `close()` as StateStore has it. Components are stopped instead. */
function closerOf(value: unknown): (() => Promise<void>) | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const candidate = value as { close?: unknown; [Symbol.asyncDispose]?: unknown };
  if (typeof candidate[Symbol.asyncDispose] === 'function') return async () => (candidate as AsyncDisposable)[Symbol.asyncDispose]();
  if (typeof candidate.close === 'function') return async () => (candidate as { close(): Promise<void> }).close();
  return undefined;
}

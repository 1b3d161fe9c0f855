import type { Component, Token } from '@coxswain/sdk';

/** Everything that is bound to a token, in order of binding; none is fine. */
export interface AllOf<T> {
  readonly all: Token<T>;
}

/** Ask for all plugins of a kind: `component('apiserver', [StateStore, all(AdmissionPlugin)], (store, admission) => …)`. */
export function all<T>(token: Token<T>): AllOf<T> {
  return { all: token };
}

export type Need = Token<unknown> | AllOf<unknown>;

type Resolved<Needs extends readonly Need[]> = {
  [K in keyof Needs]: Needs[K] extends AllOf<infer T> ? readonly T[] : Needs[K] extends Token<infer T> ? T : never;
};

/** How to make one component: the tokens it takes, and the components that must be ready before it starts. */
export interface ComponentRecipe {
  readonly name: string;
  readonly needs: readonly Need[];
  readonly after: readonly string[];
  readonly create: (...resolved: never[]) => Component | Promise<Component>;
}

export interface RecipeOptions {
  /** Names of components that must be ready first. */
  readonly after?: readonly string[];
}

/**
 * Describe a component: `component('scheduler', [Clock, Logger], (clock, logger) => new Scheduler(…), { after: ['apiserver'] })`.
 * `create` builds only; everything with an effect belongs to `start`.
 */
export function component<const Needs extends readonly Need[]>(
  name: string,
  needs: Needs,
  create: (...resolved: Resolved<Needs>) => Component | Promise<Component>,
  options: RecipeOptions = {},
): ComponentRecipe {
  return Object.freeze({ name, needs, after: options.after ?? [], create: create as ComponentRecipe['create'] });
}

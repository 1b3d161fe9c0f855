import type { Component, Token } from '@coxswain/sdk';

type Resolved<Tokens extends readonly Token<unknown>[]> = { [K in keyof Tokens]: Tokens[K] extends Token<infer T> ? T : never };

/** How to make one component: the tokens it takes, and the components that must be ready before it starts. */
export interface ComponentRecipe {
  readonly name: string;
  readonly needs: readonly Token<unknown>[];
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
export function component<const Tokens extends readonly Token<unknown>[]>(
  name: string,
  needs: Tokens,
  create: (...resolved: Resolved<Tokens>) => Component | Promise<Component>,
  options: RecipeOptions = {},
): ComponentRecipe {
  return Object.freeze({ name, needs, after: options.after ?? [], create: create as ComponentRecipe['create'] });
}

import type { ComponentRecipe } from './recipe.js';

/** Levels of components that may start side by side, each after the one before; and a cycle, if there is one. Pure. */
export function dependencyLevels<R extends Pick<ComponentRecipe, 'name' | 'after'>>(recipes: readonly R[]): { levels: R[][]; cycle: string[] } {
  const names = new Set(recipes.map((r) => r.name));
  const done = new Set<string>();
  let waiting = [...recipes];
  const levels: R[][] = [];
  while (waiting.length > 0) {
    const free = waiting.filter((r) => r.after.every((d) => done.has(d) || !names.has(d)));
    if (free.length === 0) return { levels, cycle: findCycle(waiting) };
    for (const r of free) done.add(r.name);
    waiting = waiting.filter((r) => !free.includes(r));
    levels.push(free);
  }
  return { levels, cycle: [] };
}

/** Every recipe in `stuck` waits for another of them, so walking from any leads into a cycle. */
function findCycle(stuck: readonly Pick<ComponentRecipe, 'name' | 'after'>[]): string[] {
  const byName = new Map(stuck.map((r) => [r.name, r]));
  const path: string[] = [];
  let at = stuck[0];
  while (at && !path.includes(at.name)) {
    path.push(at.name);
    const next = at.after.find((d) => byName.has(d));
    at = next === undefined ? undefined : byName.get(next);
  }
  return at ? [...path.slice(path.indexOf(at.name)), at.name] : path;
}

import { type PluginUse, SDK_VERSION, type Token, tokenId } from '@coxswain/sdk';
import { satisfies } from 'semver';
import type { HostProblem } from './host-error.js';
import { dependencyLevels } from './order.js';
import type { ComponentRecipe } from './recipe.js';

/** Everything that can be known to be wrong before anything is loaded. Pure. */
export function checkComposition(plugins: readonly PluginUse[], recipes: readonly ComponentRecipe[], sdkVersion: string = SDK_VERSION): HostProblem[] {
  return [...checkPlugins(plugins, sdkVersion), ...checkRecipes(recipes)];
}

function checkPlugins(plugins: readonly PluginUse[], sdkVersion: string): HostProblem[] {
  const problems: HostProblem[] = [];
  const seen = new Set<string>();
  for (const { plugin } of plugins) {
    if (seen.has(plugin.name)) {
      problems.push({ code: 'duplicate-plugin', message: `plugin "${plugin.name}" is loaded twice; remove one of them` });
    }
    seen.add(plugin.name);
    if (!satisfies(sdkVersion, plugin.sdk)) {
      problems.push({
        code: 'sdk-version',
        message: `plugin "${plugin.name}" needs @coxswain/sdk ${plugin.sdk}, this host has ${sdkVersion}; update the plugin or the host`,
      });
    }
  }
  return problems;
}

function checkRecipes(recipes: readonly ComponentRecipe[]): HostProblem[] {
  const problems: HostProblem[] = [];
  const names = new Set<string>();
  for (const recipe of recipes) {
    if (names.has(recipe.name)) problems.push({ code: 'duplicate-component', message: `component "${recipe.name}" is defined twice` });
    names.add(recipe.name);
  }
  for (const recipe of recipes) {
    for (const dependency of recipe.after) {
      if (!names.has(dependency)) {
        problems.push({
          code: 'unknown-dependency',
          message: `component "${recipe.name}" starts after "${dependency}", which is not part of the host (it has ${[...names].join(', ')})`,
        });
      }
    }
  }
  const { cycle } = dependencyLevels(recipes);
  if (cycle.length > 0) {
    problems.push({ code: 'dependency-cycle', message: `components wait for each other: ${cycle.join(' → ')}` });
  }
  return problems;
}

/** Requirements of plugins and components that nothing binds. Runs once modules are loaded, before anything is resolved. */
export function checkRequirements(
  plugins: readonly PluginUse[],
  recipes: readonly ComponentRecipe[],
  isBound: (token: Token<unknown>) => boolean,
): HostProblem[] {
  const wanted = [
    ...plugins.flatMap(({ plugin }) => plugin.requires.map((token) => ({ who: `plugin "${plugin.name}"`, token }))),
    ...recipes.flatMap((recipe) => recipe.needs.filter((need) => typeof need === 'symbol').map((token) => ({ who: `component "${recipe.name}"`, token }))),
  ];
  return wanted
    .filter(({ token }) => !isBound(token))
    .map(({ who, token }) => ({ code: 'missing-requirement', message: `${who} needs ${tokenId(token)}, which no plugin provides` }));
}

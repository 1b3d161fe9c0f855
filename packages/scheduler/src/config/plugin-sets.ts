import type { SchedulerPlugin } from '@coxswain/sdk';

/** Extension points as a KubeSchedulerConfiguration names them, with what of a plugin belongs to each. */
export const extensionPoints = {
  preEnqueue: ['preEnqueue'],
  queueSort: ['less'],
  preFilter: ['preFilter'],
  filter: ['filter'],
  postFilter: ['postFilter'],
  preScore: ['preScore'],
  score: ['score'],
  reserve: ['reserve', 'unreserve'],
  permit: ['permit'],
  preBind: ['preBindPreFlight', 'preBind'],
  bind: ['bind'],
  postBind: ['postBind'],
} as const satisfies Readonly<Record<string, readonly (keyof SchedulerPlugin)[]>>;

export type ExtensionPoint = keyof typeof extensionPoints;

export interface PluginSet {
  readonly enabled: readonly { readonly name: string; readonly weight?: number }[];
  /** Names, or `*`: all that are not enabled here. */
  readonly disabled: readonly string[];
}

/** `profiles[].plugins`; multiPoint: at every point a plugin has. */
export type PluginSets = Readonly<Partial<Record<ExtensionPoint | 'multiPoint', PluginSet>>>;

/** The plugins of a profile: all of them, and those of each point in the order they are asked in. */
export interface SelectedPlugins {
  readonly all: readonly SchedulerPlugin[];
  readonly at: (point: ExtensionPoint) => readonly SchedulerPlugin[];
}

/**
 * Upstream's rules: the default plugins are enabled by multiPoint; a set of one point wins over it, and its plugins come first.
 * Plugins of the embedder are enabled, too; one of a default's name replaces it. Throws for a name nobody has.
 */
export function selectPlugins(sets: PluginSets, defaults: readonly SchedulerPlugin[], extra: readonly SchedulerPlugin[]): SelectedPlugins {
  const replaced = new Set(extra.map((p) => p.name));
  const sorts = extra.some((p) => p.less);
  const known = [...defaults.filter((p) => !replaced.has(p.name) && !(sorts && p.less)), ...extra];
  const byName = new Map(known.map((p) => [p.name, p]));
  for (const set of Object.values(sets)) {
    for (const { name } of set.enabled) if (!byName.has(name)) throw new Error(`plugin ${name} is not known (known: ${[...byName.keys()].join(', ')})`);
  }
  const multi = order(sets.multiPoint, known);
  // As upstream: whoever lists a default plugin says its weight, too, or it is 1.
  const own = (name: string) => extra.find((p) => p.name === name)?.weight;
  const listed = [...(sets.multiPoint?.enabled ?? []), ...(sets.score?.enabled ?? [])];
  const weights = new Map(listed.map((e) => [e.name, e.weight || (own(e.name) ?? 1)]));
  const weighted = new Map(
    known.map((p) => {
      const weight = weights.get(p.name);
      return [p.name, weight === undefined ? p : { ...p, weight }] as const;
    }),
  );
  const points = new Map(
    (Object.keys(extensionPoints) as ExtensionPoint[]).map((point) => {
      const members: readonly (keyof SchedulerPlugin)[] = extensionPoints[point];
      const here = order(sets[point], multi, byName).filter((p) => members.some((m) => p[m] !== undefined));
      return [point, here.map((p) => weighted.get(p.name) as SchedulerPlugin)] as const;
    }),
  );
  const used = new Set([...points.values()].flat().map((p) => p.name));
  return {
    all: known.filter((p) => used.has(p.name)).map((p) => weighted.get(p.name) as SchedulerPlugin),
    at: (point) => points.get(point) ?? [],
  };
}

/** What a set makes of the plugins that are there already. */
function order(set: PluginSet | undefined, before: readonly SchedulerPlugin[], byName = new Map(before.map((p) => [p.name, p]))): SchedulerPlugin[] {
  if (!set) return [...before];
  const enabled = set.enabled.map((e) => byName.get(e.name) as SchedulerPlugin);
  const off = (p: SchedulerPlugin) => enabled.includes(p) || set.disabled.includes('*') || set.disabled.includes(p.name);
  return [...enabled, ...before.filter((p) => !off(p))];
}

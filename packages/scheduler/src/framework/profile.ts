import type { ClusterEvent, SchedulerPlugin } from '@coxswain/sdk';
import type { ExtensionPoint, SelectedPlugins } from '../config/plugin-sets.js';

type With<K extends keyof SchedulerPlugin> = SchedulerPlugin & Required<Pick<SchedulerPlugin, K>>;

/** One `schedulerName`: its plugins sorted by extension point, once, so that cycles loop over plain arrays. */
export class Profile {
  readonly plugins: readonly SchedulerPlugin[];
  readonly queueSort: With<'less'>;
  readonly preEnqueue: readonly With<'preEnqueue'>[];
  readonly preFilter: readonly With<'preFilter'>[];
  readonly filter: readonly With<'filter'>[];
  /** The filters at the head of the list that sign: what they say is remembered. */
  readonly signedFilters: ReadonlySet<SchedulerPlugin>;
  readonly postFilter: readonly With<'postFilter'>[];
  readonly preScore: readonly With<'preScore'>[];
  readonly score: readonly With<'score'>[];
  /** Those of them that score each node by itself, and sign. */
  readonly signedScore: readonly With<'score'>[];
  /** The plugins of both, each once. */
  readonly signing: readonly With<'sign'>[];
  readonly reserve: readonly With<'reserve'>[];
  readonly unreserve: readonly With<'unreserve'>[];
  readonly permit: readonly With<'permit'>[];
  readonly preBind: readonly With<'preBind'>[];
  readonly bind: readonly With<'bind'>[];
  readonly postBind: readonly With<'postBind'>[];
  readonly events: ReadonlyMap<string, readonly ClusterEvent[]>;

  /** Throws when there is not exactly one queueSort or no bind plugin, or a name comes twice. */
  constructor(
    readonly schedulerName: string,
    selected: SelectedPlugins,
  ) {
    this.plugins = selected.all;
    const names = new Set<string>();
    for (const p of this.plugins) {
      if (names.has(p.name)) throw new Error(`profile ${schedulerName}: plugin ${p.name} is there twice`);
      names.add(p.name);
    }
    const having = <K extends keyof SchedulerPlugin>(point: ExtensionPoint, k: K) => selected.at(point).filter((p): p is With<K> => p[k] !== undefined);
    const [queueSort, ...others] = having('queueSort', 'less');
    if (!queueSort || others.length > 0)
      throw new Error(`profile ${schedulerName}: exactly one queueSort plugin is needed, got ${queueSort ? others.length + 1 : 0}`);
    this.queueSort = queueSort;
    this.preEnqueue = having('preEnqueue', 'preEnqueue');
    this.preFilter = having('preFilter', 'preFilter');
    this.filter = having('filter', 'filter');
    this.postFilter = having('postFilter', 'postFilter');
    this.preScore = having('preScore', 'preScore');
    this.score = having('score', 'score').filter((p) => (p.weight ?? 1) > 0);
    const unsigned = this.filter.findIndex((p) => !p.sign);
    this.signedFilters = new Set(unsigned === -1 ? this.filter : this.filter.slice(0, unsigned));
    this.signedScore = this.score.filter((p) => p.sign && !p.preScore && !p.normalize);
    this.signing = [...new Set([...this.signedFilters, ...this.signedScore])] as With<'sign'>[];
    this.reserve = having('reserve', 'reserve');
    this.unreserve = having('reserve', 'unreserve').reverse();
    this.permit = having('permit', 'permit');
    this.preBind = having('preBind', 'preBind');
    this.bind = having('bind', 'bind');
    this.postBind = having('postBind', 'postBind');
    if (this.bind.length === 0) throw new Error(`profile ${schedulerName}: a bind plugin is needed`);
    this.events = new Map(this.plugins.map((p) => [p.name, p.events ?? [{ resource: '*', action: 'add' } as const]]));
  }
}

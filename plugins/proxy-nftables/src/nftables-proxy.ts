import { forgetFlows, NftError, type NftOptions, nftApply, nftDeleteTable, RouteLocalnet } from '@coxswain/linux';
import {
  type Logger,
  SerialQueue,
  type ServiceDelta,
  type ServicePortSpec,
  type ServiceProxy,
  type ServiceProxyNode,
  silentLogger,
  type StaleFlow,
  staleFlows,
} from '@coxswain/sdk';
import { baseTable } from './base-table.js';
import { renderPort } from './render-port.js';
import { Ruleset } from './ruleset.js';

export interface NftablesProxyOptions {
  /** The table's name; one for each proxy of a host. Default `coxswain-proxy`. */
  readonly table?: string;
  readonly node: ServiceProxyNode;
  /** Default bit 14, as upstream. */
  readonly masqueradeMark?: number;
  /** Answer on 127.0.0.1 too: needs `route_localnet`, which is set, and guarded against strangers. Default true. */
  readonly localhostNodePorts?: boolean;
  /** Path of the network namespace to act in; absent: our own. */
  readonly hostNetns?: string;
  readonly logger?: Logger;
}

/** Services by nftables, in one table of its own. */
export class NftablesProxy implements ServiceProxy {
  private readonly table: string;
  private readonly nft: NftOptions;
  private readonly logger: Logger;
  private readonly specs = new Map<string, ServicePortSpec>();
  private ruleset: Ruleset;
  /** What is in the kernel may not be what `ruleset` says: write all of it. */
  private dirty = true;
  /** One change at a time: commands are relative to the state before them. */
  private readonly changes = new SerialQueue();
  private readonly routeLocalnet: RouteLocalnet;

  constructor(private readonly options: NftablesProxyOptions) {
    this.table = options.table ?? 'coxswain-proxy';
    this.nft = options.hostNetns === undefined ? {} : { netns: options.hostNetns };
    this.logger = options.logger ?? silentLogger;
    this.routeLocalnet = new RouteLocalnet(options.hostNetns);
    this.ruleset = new Ruleset(this.table);
  }

  start(full: readonly ServicePortSpec[], signal: AbortSignal): Promise<void> {
    return this.changes.run(async () => {
      this.specs.clear();
      this.ruleset = new Ruleset(this.table);
      this.dirty = true;
      this.take(full, []);
      if (this.options.localhostNodePorts ?? true) await this.routeLocalnet.allow();
      await this.write([], signal);
      await this.forget(full.flatMap((spec) => staleFlows(undefined, spec)));
    });
  }

  apply(delta: ServiceDelta, signal: AbortSignal): Promise<void> {
    return this.changes.run(async () => {
      const before = new Map([...delta.upsert.map((s) => s.key), ...delta.remove].map((key) => [key, this.specs.get(key)]));
      await this.write(this.take(delta.upsert, delta.remove), signal);
      await this.forget([...before].flatMap(([key, old]) => staleFlows(old, this.specs.get(key))));
    });
  }

  cleanup(): Promise<void> {
    return this.changes.run(async () => {
      await nftDeleteTable('inet', this.table, this.nft);
      this.specs.clear();
      this.ruleset = new Ruleset(this.table);
      this.dirty = true;
      await this.routeLocalnet.restore();
    });
  }

  private take(upsert: readonly ServicePortSpec[], remove: readonly string[]): string[] {
    const context = { clusterCIDRs: this.options.node.clusterCIDRs };
    for (const key of remove) this.specs.delete(key);
    for (const spec of upsert) this.specs.set(spec.key, spec);
    return this.ruleset.change(new Map(upsert.map((spec) => [spec.key, renderPort(spec, context)])), remove);
  }

  private async write(commands: readonly string[], signal: AbortSignal): Promise<void> {
    const options = { ...this.nft, signal };
    if (!this.dirty) {
      if (commands.length === 0) return;
      try {
        await nftApply(`${commands.join('\n')}\n`, options);
        return;
      } catch (error) {
        this.dirty = true;
        if (!(error instanceof NftError) || signal.aborted) throw error;
        this.logger.warn('nftables refused a change; writing the whole table', { err: error, table: this.table });
      }
    }
    // Removing and making in one transaction: packets see the old table or the new one, and never none.
    const base = baseTable({
      table: this.table,
      node: this.options.node,
      masqueradeMark: this.options.masqueradeMark ?? 0x4000,
      localhostNodePorts: this.options.localhostNodePorts ?? true,
    });
    await nftApply(`table inet ${this.table}\ndelete table inet ${this.table}\n${base}${this.ruleset.full().join('\n')}\n`, options);
    this.dirty = false;
  }

  private forget(flows: readonly StaleFlow[]): Promise<void> {
    return forgetFlows(flows, { netns: this.options.hostNetns, warn: (message, fields) => this.logger.warn(message, fields) });
  }
}

import { forgetFlows, RouteLocalnet } from '@coxswain/linux';
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
import { baseChains } from './base-chains.js';
import { Iptables, type IptablesBackend, IptablesError } from './iptables.js';
import { ChainNames } from './names.js';
import { renderPort } from './render-port.js';
import { Ruleset } from './ruleset.js';
import { parseSaved } from './saved-rules.js';

export interface IptablesProxyOptions {
  readonly node: ServiceProxyNode;
  /** At the end of every chain's name: tells proxies of one machine apart. At most five upper-case letters and digits; default none, as upstream. */
  readonly suffix?: string;
  readonly backend?: IptablesBackend;
  /** Default bit 14, as upstream. */
  readonly masqueradeMark?: number;
  /** Answer on 127.0.0.1 too: needs `route_localnet`, which is set, and guarded against strangers. Default true. */
  readonly localhostNodePorts?: boolean;
  /** Path of the network namespace to act in; absent: our own. */
  readonly hostNetns?: string;
  readonly logger?: Logger;
}

/** One address family: its programs, and what is believed to be in the kernel. */
interface Family {
  readonly family: 4 | 6;
  readonly iptables: Iptables;
  ruleset: Ruleset;
  /** What is in the kernel may not be what `ruleset` says: write all of it. */
  dirty: boolean;
  /** The kernel has no tables of this family. */
  absent: boolean;
}

/** Services by iptables, in chains of its own. */
export class IptablesProxy implements ServiceProxy {
  private readonly names: ChainNames;
  private readonly logger: Logger;
  private readonly families: readonly Family[];
  private readonly specs = new Map<string, ServicePortSpec>();
  /** One change at a time: restore input is relative to the state before it. */
  private readonly changes = new SerialQueue();
  private readonly routeLocalnet: RouteLocalnet;

  /** Throws `TypeError` for a suffix that does not fit. */
  constructor(private readonly options: IptablesProxyOptions) {
    this.names = new ChainNames(options.suffix);
    this.logger = options.logger ?? silentLogger;
    this.routeLocalnet = new RouteLocalnet(options.hostNetns);
    const program = { backend: options.backend ?? 'auto', ...(options.hostNetns === undefined ? {} : { netns: options.hostNetns }) };
    this.families = ([4, 6] as const).map((family) => ({
      family,
      iptables: new Iptables(family, program),
      ruleset: this.emptyRuleset(family),
      dirty: true,
      absent: false,
    }));
  }

  start(full: readonly ServicePortSpec[], signal: AbortSignal): Promise<void> {
    return this.changes.run(async () => {
      this.specs.clear();
      for (const spec of full) this.specs.set(spec.key, spec);
      if (this.localhost) await this.routeLocalnet.allow();
      for (const each of this.families) {
        each.ruleset = this.emptyRuleset(each.family);
        each.dirty = true;
        this.take(each, full, []);
        await this.write(each, '', signal);
      }
      await this.forget(full.flatMap((spec) => staleFlows(undefined, spec)));
    });
  }

  apply(delta: ServiceDelta, signal: AbortSignal): Promise<void> {
    return this.changes.run(async () => {
      const before = new Map([...delta.upsert.map((s) => s.key), ...delta.remove].map((key) => [key, this.specs.get(key)]));
      for (const key of delta.remove) this.specs.delete(key);
      for (const spec of delta.upsert) this.specs.set(spec.key, spec);
      for (const each of this.families) await this.write(each, this.take(each, delta.upsert, delta.remove), signal);
      await this.forget([...before].flatMap(([key, old]) => staleFlows(old, this.specs.get(key))));
    });
  }

  cleanup(): Promise<void> {
    return this.changes.run(async () => {
      for (const each of this.families) {
        each.ruleset = this.emptyRuleset(each.family);
        each.dirty = true;
        const saved = await this.saved(each);
        const removal = saved === undefined ? '' : each.ruleset.removal(parseSaved(saved));
        if (removal !== '') await each.iptables.restore(removal);
      }
      this.specs.clear();
      await this.routeLocalnet.restore();
    });
  }

  private get localhost(): boolean {
    return this.options.localhostNodePorts ?? true;
  }

  private emptyRuleset(family: 4 | 6): Ruleset {
    const { node, masqueradeMark = 0x4000 } = this.options;
    return new Ruleset(this.names, baseChains(family, { names: this.names, node, masqueradeMark, localhostNodePorts: this.localhost }));
  }

  private take({ family, ruleset }: Family, upsert: readonly ServicePortSpec[], remove: readonly string[]): string {
    const context = { names: this.names, clusterCIDRs: this.options.node.clusterCIDRs };
    return ruleset.change(new Map(upsert.map((spec) => [spec.key, renderPort(spec, family, context)])), remove);
  }

  /** Undefined when the kernel has no such tables, which for IPv6 is a machine without IPv6. */
  private async saved(each: Family, signal?: AbortSignal): Promise<string | undefined> {
    try {
      return await each.iptables.save(signal);
    } catch (error) {
      if (each.family === 6 && error instanceof IptablesError) return undefined;
      throw error;
    }
  }

  private async write(each: Family, change: string, signal: AbortSignal): Promise<void> {
    if (each.absent) {
      if (!each.ruleset.empty) this.logger.warn('this machine has no ip6tables: IPv6 addresses of services do not answer');
      return;
    }
    if (!each.dirty) {
      if (change === '') return;
      try {
        await each.iptables.restore(change, signal);
        return;
      } catch (error) {
        each.dirty = true;
        if (!(error instanceof IptablesError) || signal.aborted) throw error;
        this.logger.warn('iptables refused a change; writing all rules', { err: error });
      }
    }
    const saved = await this.saved(each, signal);
    if (saved === undefined) {
      each.absent = true;
      return this.write(each, '', signal);
    }
    await each.iptables.restore(each.ruleset.full(parseSaved(saved)), signal);
    each.dirty = false;
  }

  private forget(flows: readonly StaleFlow[]): Promise<void> {
    return forgetFlows(flows, { netns: this.options.hostNetns, warn: (message, fields) => this.logger.warn(message, fields) });
  }
}

import { NftError, type NftOptions, nftApply, nftDeleteTable, readSysctl } from '@coxswain/linux';
import { type Logger, SerialQueue, silentLogger } from '@coxswain/sdk';
import { guardTable, policyTable } from './base-table.js';
import { type PolicyEvent, PolicyModel } from './policy-model.js';

export interface PolicyEngineOptions {
  /** Of the tables, one in family `inet` and, where needed, one in `bridge`; one name for each cluster of a host. Default `coxswain-policy`. */
  readonly table?: string;
  readonly nodeName: string;
  /** Path of the network namespace to act in; absent: our own. */
  readonly hostNetns?: string;
  readonly logger?: Logger;
}

const BRIDGED_PASS_RULES = 'net/bridge/bridge-nf-call-iptables';

/**
 * NetworkPolicy on one node, by nftables.
 *
 * - `start` takes everything there is and replaces what an earlier run left, without a gap.
 * - `apply` takes objects that came, changed or went; one transaction, of the size of the change.
 * - `cleanup` removes the tables, also those of an earlier run.
 */
export class PolicyEngine {
  private readonly name: string;
  private readonly nft: NftOptions;
  private readonly logger: Logger;
  private model: PolicyModel;
  /** What is in the kernel may not be what the model says: write all of it. */
  private dirty = true;
  /** Whether the guard's table is in place. */
  private guarded = false;
  /** One change at a time: commands are relative to the state before them. */
  private readonly changes = new SerialQueue();

  constructor(private readonly options: PolicyEngineOptions) {
    this.name = options.table ?? 'coxswain-policy';
    this.nft = options.hostNetns === undefined ? {} : { netns: options.hostNetns };
    this.logger = options.logger ?? silentLogger;
    this.model = new PolicyModel(this.name, options.nodeName);
  }

  /** Policies known, and pods of this node that they isolate. */
  get size(): PolicyModel['size'] {
    return this.model.size;
  }

  start(objects: Iterable<PolicyEvent>, signal: AbortSignal): Promise<void> {
    return this.changes.run(async () => {
      this.model = new PolicyModel(this.name, this.options.nodeName);
      this.dirty = true;
      for (const object of objects) this.model.take(object);
      await this.write(signal);
    });
  }

  apply(events: Iterable<PolicyEvent>, signal: AbortSignal): Promise<void> {
    return this.changes.run(async () => {
      for (const event of events) this.model.take(event);
      await this.write(signal);
    });
  }

  cleanup(): Promise<void> {
    return this.changes.run(async () => {
      await nftDeleteTable('inet', this.name, this.nft);
      await nftDeleteTable('bridge', this.name, this.nft);
      this.model = new PolicyModel(this.name, this.options.nodeName);
      this.dirty = true;
      this.guarded = false;
    });
  }

  private async write(signal: AbortSignal): Promise<void> {
    const options = { ...this.nft, signal };
    const guard = !(await this.bridgedPassRules());
    if (!this.dirty && guard === this.guarded) {
      const commands = this.model.table.commit();
      const guards = this.model.guard.commit();
      if (guard) commands.push(...guards);
      if (commands.length === 0) return;
      try {
        await nftApply(`${commands.join('\n')}\n`, options);
        return;
      } catch (error) {
        this.dirty = true;
        if (!(error instanceof NftError) || signal.aborted) throw error;
        this.logger.warn('nftables refused a change; writing all policies', { err: error, table: this.name });
      }
    }
    this.dirty = true;
    const other = guard ? this.model.guard.full(guardTable(this.name)) : `table bridge ${this.name}\ndelete table bridge ${this.name}\n`;
    await nftApply(this.model.table.full(policyTable(this.name)) + other, options);
    this.dirty = false;
    this.guarded = guard;
  }

  /** Whether packets that a bridge switches pass the host's rules (br_netfilter). May change any time, so it is looked at each time. */
  private async bridgedPassRules(): Promise<boolean> {
    return (await readSysctl(this.options.hostNetns, BRIDGED_PASS_RULES)) === '1';
  }
}

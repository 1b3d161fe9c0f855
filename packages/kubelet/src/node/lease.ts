import type { Lease } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import type { Clock, Logger } from '@coxswain/sdk';
import { apiMicroTime } from '../pod/time.js';

const NAMESPACE = 'kube-node-lease';

type NamedLease = Lease & { metadata: NonNullable<Lease['metadata']> };

/** The node's sign of life: a lease renewed four times in its duration. */
export class NodeLease {
  #lease: NamedLease | undefined;

  constructor(
    private readonly client: KubeClient,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly nodeName: string,
    private readonly durationSeconds: number,
    private readonly node: () => { readonly name: string; readonly uid: string } | undefined,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const period = (this.durationSeconds * 1000) / 4;
    for (let wait = period; !signal.aborted; ) {
      try {
        await this.renew(signal);
        wait = period;
      } catch (error) {
        if (signal.aborted) return;
        this.logger.debug('renewing the node lease failed', { err: error });
        this.#lease = undefined;
        wait = Math.min(wait === period ? 200 : wait * 2, 7000, period);
      }
      await this.clock.sleep(wait, signal).catch(() => {});
    }
  }

  async renew(signal: AbortSignal): Promise<void> {
    const leases = this.client.api.leases(NAMESPACE);
    this.#lease ??= (await leases.get(this.nodeName, { signal }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code === 404) return undefined;
      throw error;
    })) as NamedLease | undefined;
    const node = this.node();
    const spec = { holderIdentity: this.nodeName, leaseDurationSeconds: this.durationSeconds, renewTime: apiMicroTime(this.clock.now()) };
    const ownerReferences = node ? [{ apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid }] : undefined;
    if (!this.#lease) {
      this.#lease = (await leases.create(
        {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: this.nodeName, namespace: NAMESPACE, ...(ownerReferences ? { ownerReferences } : {}) },
          spec,
        },
        { signal },
      )) as NamedLease;
      return;
    }
    const metadata = { ...this.#lease.metadata, ...(this.#lease.metadata.ownerReferences?.length || !ownerReferences ? {} : { ownerReferences }) };
    this.#lease = (await leases.update(
      { ...this.#lease, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: { ...this.#lease.spec, ...spec } },
      { signal },
    )) as NamedLease;
  }
}

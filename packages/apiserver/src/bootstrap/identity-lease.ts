import { createHash } from 'node:crypto';
import type { KubeObject } from '@coxswain/api';
import { formatMicroTime } from '@coxswain/apimachinery';
import type { Transport } from '@coxswain/client';
import type { Clock, Random } from '@coxswain/sdk';
import { sendOwn } from '../request/send-own.js';
import type { ResourceCache } from '../storage/resource-cache.js';

const PATH = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
const COMPONENT = 'apiserver.kubernetes.io/identity';
const DURATION_SECONDS = 3600;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

export interface IdentityLeaseOptions {
  readonly transport: Transport;
  readonly leases: Pick<ResourceCache, 'inNamespace'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Pick<Random, 'uuid'>;
  /** Of the machine this server runs on. */
  readonly hostname: string;
}

/** A server's name among those of the cluster: the same after a restart on its machine. As upstream derives it. */
export function serverIdentity(hostname: string): string {
  const bytes = createHash('sha256').update(hostname).digest().subarray(0, 16);
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  return `apiserver-${(bits.match(/.{1,5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')}`;
}

/** Which API servers there are, for clients to see: a Lease each in kube-system. Those of servers that are gone are deleted by the others. */
export class IdentityLease {
  readonly name: string;

  constructor(readonly options: IdentityLeaseOptions) {
    this.name = serverIdentity(options.hostname);
  }

  async renew(): Promise<void> {
    const { clock, random, hostname } = this.options;
    const labels = { [COMPONENT]: 'kube-apiserver', 'kubernetes.io/hostname': hostname };
    const renewTime = formatMicroTime(clock.now());
    const renewed = await this.#send('PATCH', `/${this.name}`, { metadata: { labels }, spec: { renewTime } });
    if (renewed !== 404) return;
    await this.#send('POST', '', {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: this.name, labels },
      spec: { holderIdentity: `${this.name}_${random.uuid()}`, leaseDurationSeconds: DURATION_SECONDS, renewTime },
    });
  }

  /** Deletes what nobody has renewed for as long as it says it lasts. */
  async collect(): Promise<void> {
    for (const { object } of this.options.leases.inNamespace('kube-system')) {
      if (object.metadata.labels?.[COMPONENT] !== 'kube-apiserver' || !this.#expired(object)) continue;
      const { name, resourceVersion } = object.metadata;
      // Renewed in the meantime: the precondition refuses.
      await this.#send('DELETE', `/${name}`, { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { resourceVersion } });
    }
  }

  #expired({ spec }: KubeObject): boolean {
    const { renewTime, leaseDurationSeconds } = (spec ?? {}) as { renewTime?: string; leaseDurationSeconds?: number };
    return !renewTime || leaseDurationSeconds === undefined || Date.parse(renewTime) + leaseDurationSeconds * 1000 < this.options.clock.now();
  }

  #send(method: 'PATCH' | 'POST' | 'DELETE', path: string, body: object): Promise<number> {
    return sendOwn(this.options.transport, method, `${PATH}${path}`, body, [404, 409]);
  }
}

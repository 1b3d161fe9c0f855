import { BlockList, isIPv4 } from 'node:net';
import type { KubeObject, Service, ServiceCIDR } from '@coxswain/api';
import { formatTime, isNotFound, semanticEqual } from '@coxswain/apimachinery';
import { Resources, resourceRef } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { withCondition } from '../runtime/conditions.js';
import { protectedFinalizers } from '../storage/protection-controllers.js';

const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
const LOOK_AGAIN_MS = 10_000;
const serviceCidrs = resourceRef<ServiceCIDR & KubeObject>('networking.k8s.io', 'v1', 'servicecidrs', 'ServiceCIDR', false);

/** Whether one of the addresses lies in `cidrs` and in no range of the others: it would be left without one. */
export function hasOrphans(cidrs: readonly string[], others: readonly string[], addresses: readonly string[]): boolean {
  const [own, rest] = [blockList(cidrs), blockList(others)];
  const within = (list: BlockList, ip: string) => list.check(ip, isIPv4(ip) ? 'ipv4' : 'ipv6');
  return addresses.some((ip) => within(own, ip) && !within(rest, ip));
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    list.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return list;
}

const addressesOf = (s: Service): string[] => (s.spec?.clusterIPs ?? []).filter((ip) => ip !== '' && ip !== 'None');

/** A range for services is ready from the start; one that is deleted stays, unready, as long as services have addresses only it holds. */
export function serviceCidrController({ client, informers, clock }: ControllerContext): Controller {
  const ranges = informers.informer(serviceCidrs);
  const services = informers.informer(Resources.services);
  const api = client.resource(serviceCidrs);

  const inUse = (range: ServiceCIDR & KubeObject): boolean => {
    const others = ranges.lister.list().filter((r) => r.metadata.uid !== range.metadata.uid && !r.metadata.deletionTimestamp);
    const cidrs = (list: readonly ServiceCIDR[]) => list.flatMap((r) => r.spec?.cidrs ?? []);
    return hasOrphans(cidrs([range]), cidrs(others), services.lister.list().flatMap(addressesOf));
  };

  return {
    name: 'service-cidr',
    watch: (queue) => ranges.addHandler({ add: (r) => queue.add(r.metadata.name ?? ''), update: (_o, r) => queue.add(r.metadata.name ?? '') }),
    async reconcile(name, signal) {
      let range = ranges.lister.get(name);
      if (!range) return undefined;
      const deleting = range.metadata.deletionTimestamp !== undefined;
      const finalizers = protectedFinalizers(range, FINALIZER, () => inUse(range as ServiceCIDR & KubeObject));
      if (finalizers) {
        try {
          range = await api.update({ ...range, metadata: { ...range.metadata, finalizers } }, { signal });
        } catch (error) {
          if (isNotFound(error)) return undefined;
          throw error;
        }
        if (deleting) return undefined;
      }
      const verdict = deleting
        ? {
            type: 'Ready',
            status: 'False',
            reason: 'Terminating',
            message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
          }
        : { type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' };
      const conditions = withCondition(range.status?.conditions, verdict, formatTime(clock.now()));
      if (!semanticEqual(conditions, range.status?.conditions))
        await api.updateStatus({ ...range, status: { ...range.status, conditions } } as typeof range, { signal });
      return deleting ? { requeueAfterMs: LOOK_AGAIN_MS } : undefined;
    },
  };
}

import type { AdmissionPlugin } from '@coxswain/sdk';
import { isFor, refuse } from '../admission-env.js';
import { AdmissionOrder } from '../order.js';

/** Nobody takes traffic for addresses that are not their own: Services get no new external IPs. */
export function denyServiceExternalIPs(): AdmissionPlugin {
  return {
    name: 'DenyServiceExternalIPs',
    order: AdmissionOrder.denyServiceExternalIPs,
    handles: (request) => (request.operation === 'CREATE' || request.operation === 'UPDATE') && isFor(request, '', 'services'),
    validate(request) {
      const before = new Set((request.oldObject?.spec?.externalIPs ?? []) as string[]);
      const now = (request.object?.spec?.externalIPs ?? []) as string[];
      if (now.some((address) => !before.has(address))) refuse(request, 'Use of external IPs is denied by admission control.');
    },
  };
}

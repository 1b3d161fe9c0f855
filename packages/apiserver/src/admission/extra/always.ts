import type { AdmissionPlugin } from '@coxswain/sdk';
import { refuse } from '../admission-env.js';
import { AdmissionOrder } from '../order.js';

/** Lets everything through, as having no plugin does. */
export function alwaysAdmit(): AdmissionPlugin {
  return { name: 'AlwaysAdmit', order: AdmissionOrder.alwaysAdmit, handles: () => false };
}

/** Refuses every change: for tests of what a cluster does then. */
export function alwaysDeny(): AdmissionPlugin {
  return {
    name: 'AlwaysDeny',
    order: AdmissionOrder.alwaysDeny,
    handles: () => true,
    validate: (request) => refuse(request, 'admission control is denying all modifications'),
  };
}

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** Upstream's lease and times. */
export function leaderElection(name: string) {
  return {
    namespace: 'kube-system',
    name,
    identity: `${hostname()}_${randomUUID()}`,
    leaseDurationSeconds: 15,
    renewDeadlineSeconds: 10,
    retryPeriodSeconds: 2,
  };
}

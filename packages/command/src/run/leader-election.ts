import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { CliError } from '../cli-error.js';
import type { LeaderElectionFlags } from '../component-flags.js';

/** What flags say of the election; undefined: act at once. */
export function leaderElection(flags: LeaderElectionFlags) {
  if (!flags.leaderElect) return undefined;
  const { leaderElectLeaseDuration: lease, leaderElectRenewDeadline: renew, leaderElectRetryPeriod: retry } = flags;
  if (lease <= renew) throw new CliError('--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline', undefined, 2);
  if (renew <= retry) throw new CliError('--leader-elect-renew-deadline must be longer than --leader-elect-retry-period', undefined, 2);
  return {
    namespace: flags.leaderElectResourceNamespace,
    name: flags.leaderElectResourceName,
    identity: `${hostname()}_${randomUUID()}`,
    leaseDurationSeconds: lease,
    renewDeadlineSeconds: renew,
    retryPeriodSeconds: retry,
  };
}

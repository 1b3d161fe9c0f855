import { KUBERNETES_VERSION, type LogLevel } from '@coxswain/command';
import { createLogger, leaderElection, only, runComponents } from '@coxswain/command/run';
import { KubeClient, transportFromKubeconfig } from '@coxswain/client';
import { Scheduler } from '../index.js';
import { systemClock, systemRandom } from '@coxswain/sdk';

export interface SchedulerFlags {
  readonly kubeconfig: string;
  readonly leaderElect: boolean;
  readonly bindAddress: string;
  readonly securePort: number;
  readonly logLevel: LogLevel;
}

export function runScheduler(flags: SchedulerFlags): Promise<void> {
  return runComponents('kube-scheduler', flags.logLevel, [
    only(
      () =>
        new Scheduler({
          client: new KubeClient({ transport: transportFromKubeconfig({ path: flags.kubeconfig }), userAgent: `kube-scheduler/${KUBERNETES_VERSION}` }),
          clock: systemClock,
          random: systemRandom,
          logger: createLogger(flags.logLevel, 'kube-scheduler'),
          config: {
            leaderElection: flags.leaderElect ? leaderElection('kube-scheduler') : undefined,
            serving: flags.securePort === 0 ? undefined : { bindAddress: flags.bindAddress, securePort: flags.securePort },
          },
        }),
    ),
  ]);
}

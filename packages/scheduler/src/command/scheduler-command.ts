import {
  addClientFlags,
  addDebuggingFlags,
  addLeaderElectionFlags,
  addServingFlags,
  addSettledFlags,
  type Command,
  componentCommand,
  seconds,
} from '@coxswain/command';

/** kube-scheduler as a program, with upstream's flag names. */
export function schedulerCommand(): Command {
  const command = componentCommand('coxswain-scheduler', 'run kube-scheduler alone')
    .option('--config <file>', 'KubeSchedulerConfiguration; flags that are given win over it')
    .option('--pod-max-in-unschedulable-pods-duration <duration>', 'a pod that found no node is tried again after so long at the latest', seconds, 300);
  addClientFlags(command);
  addLeaderElectionFlags(command, 'kube-scheduler');
  addServingFlags(command, 10259);
  addDebuggingFlags(command);
  addSettledFlags(command, { 'write-config-to': { takes: [''], because: 'a configuration is read, and never written' } });
  return command.action(async (flags, self: Command) => {
    const given = (flag: string) => self.getOptionValueSource(flag) === 'cli';
    await (await import('./run-scheduler.js')).runScheduler(flags, given);
  });
}

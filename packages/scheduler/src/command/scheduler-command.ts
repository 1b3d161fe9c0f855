import { clientCommand, type Command, onOff, portNumber } from '@coxswain/command';

/** kube-scheduler as a program, with upstream's flag names. */
export function schedulerCommand(): Command {
  return clientCommand('coxswain-scheduler', 'run kube-scheduler alone')
    .addOption(onOff('leader-elect', 'act only while holding the lease', true))
    .option('--bind-address <address>', 'where /healthz and /metrics are served', '0.0.0.0')
    .option('--secure-port <port>', 'their port; 0: not served', portNumber, 10259)
    .action(async (flags) => (await import('./run-scheduler.js')).runScheduler(flags));
}

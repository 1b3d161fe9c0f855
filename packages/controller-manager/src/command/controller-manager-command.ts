import { clientCommand, type Command, onOff, portNumber, seconds } from '@coxswain/command';

/** kube-controller-manager as a program, with upstream's flag names. */
export function controllerManagerCommand(): Command {
  return clientCommand('coxswain-controller-manager', 'run kube-controller-manager alone')
    .addOption(onOff('leader-elect', 'act only while holding the lease', true))
    .option('--bind-address <address>', 'where /healthz and /metrics are served', '0.0.0.0')
    .option('--secure-port <port>', 'their port; 0: not served', portNumber, 10257)
    .option('--controllers <list>', '`*`, names, and -name to leave one out', '*')
    .addOption(onOff('allocate-node-cidrs', 'give each node a part of --cluster-cidr', false))
    .option('--cluster-cidr <cidrs>', 'networks of pods')
    .option('--cluster-name <name>', 'name of the cluster', 'kubernetes')
    .addOption(onOff('use-service-account-credentials', 'let each controller act as its own service account', true))
    .option('--root-ca-file <file>', 'CA that pods check the API server with')
    .option('--service-account-private-key-file <file>', 'signs legacy service account tokens')
    .option('--cluster-signing-cert-file <file>', 'CA that signs certificate requests')
    .option('--cluster-signing-key-file <file>', 'its key')
    .option('--node-monitor-grace-period <duration>', 'a node silent for so long is not ready', seconds, 40)
    .action(async (flags) => (await import('./run-controller-manager.js')).runControllerManager(flags));
}

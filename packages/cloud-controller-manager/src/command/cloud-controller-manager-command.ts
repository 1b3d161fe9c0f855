import { clientCommand, type Command, onOff, portNumber, seconds, wholeNumber } from '@coxswain/command';

/** cloud-controller-manager as a program, with upstream's flag names. */
export function cloudControllerManagerCommand(): Command {
  return clientCommand('coxswain-cloud-controller-manager', 'run cloud-controller-manager alone')
    .requiredOption('--cloud-provider <provider>', '`local`, or a module (a path or an npm package) that exports a cloud plugin')
    .option('--cloud-config <file>', 'configuration of the cloud, YAML or JSON')
    .addOption(onOff('leader-elect', 'act only while holding the lease', true))
    .option('--bind-address <address>', 'where /healthz and /metrics are served', '0.0.0.0')
    .option('--secure-port <port>', 'their port; 0: not served', portNumber, 10258)
    .option('--controllers <list>', '`*`, names, and -name to leave one out', '*')
    .addOption(onOff('allocate-node-cidrs', 'nodes have pod networks of --cluster-cidr', false))
    .option('--cluster-cidr <cidrs>', 'networks of pods')
    .option('--cluster-name <name>', 'name of the cluster', 'kubernetes')
    .addOption(onOff('configure-cloud-routes', 'make a route for each pod network (with --allocate-node-cidrs)', true))
    .option('--concurrent-service-syncs <count>', 'services worked on at once', wholeNumber, 1)
    .option('--node-monitor-period <duration>', 'how often nodes that are not ready are looked for in the cloud', seconds, 5)
    .option('--node-status-update-frequency <duration>', "how often nodes' addresses and labels are brought up to date", seconds, 300)
    .option('--route-reconciliation-period <duration>', 'how often routes are compared', seconds, 10)
    .addOption(onOff('use-service-account-credentials', 'let each controller act as its own service account', false))
    .action(async (flags) => (await import('./run-cloud-controller-manager.js')).runCloudControllerManager(flags));
}

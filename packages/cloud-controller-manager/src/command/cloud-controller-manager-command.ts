import {
  addClientFlags,
  addDebuggingFlags,
  addLeaderElectionFlags,
  addServingFlags,
  addSettledFlags,
  type Command,
  componentCommand,
  list,
  onOff,
  seconds,
  wholeNumber,
} from '@coxswain/command';

/** cloud-controller-manager as a program, with upstream's flag names. */
export function cloudControllerManagerCommand(): Command {
  const command = componentCommand('coxswain-cloud-controller-manager', 'run cloud-controller-manager alone')
    .requiredOption('--cloud-provider <provider>', '`local`, or a module (a path or an npm package) that exports a cloud plugin')
    .option('--cloud-config <file>', 'configuration of the cloud, YAML or JSON')
    .option('--controllers <list>', '`*`, names, and -name to leave one out', list, ['*'])
    .addOption(onOff('allocate-node-cidrs', 'nodes have pod networks of --cluster-cidr', false))
    .option('--cluster-cidr <cidrs>', 'networks of pods')
    .option('--cluster-name <name>', 'name of the cluster', 'kubernetes')
    .addOption(onOff('configure-cloud-routes', 'make a route for each pod network (with --allocate-node-cidrs)', true))
    .option('--concurrent-service-syncs <count>', 'services worked on at once', wholeNumber, 1)
    .option('--concurrent-node-syncs <count>', 'nodes worked on at once', wholeNumber, 1)
    .option('--node-monitor-period <duration>', 'how often nodes that are not ready are looked for in the cloud', seconds, 5)
    .option('--node-status-update-frequency <duration>', "how often nodes' addresses and labels are brought up to date", seconds, 300)
    .option('--route-reconciliation-period <duration>', 'how often routes are compared', seconds, 10)
    .addOption(onOff('use-service-account-credentials', 'let each controller act as its own service account', false));
  addClientFlags(command);
  addLeaderElectionFlags(command, 'cloud-controller-manager');
  addServingFlags(command, 10258);
  addDebuggingFlags(command);
  addSettledFlags(command, {
    'allow-untagged-cloud': { takes: ['false'], because: 'clouds know their own instances' },
    'cidr-allocator-type': { takes: ['RangeAllocator'], because: 'pod networks are the controller manager’s to give' },
    'controller-start-interval': { takes: ['0s', '0'], because: 'controllers start together' },
    'enable-leader-migration': { takes: ['false'], because: 'no controller moves between managers' },
    'leader-migration-config': { takes: [''], because: 'no controller moves between managers' },
    'min-resync-period': { takes: 'any', because: 'what has changed is watched, and nothing is gone through again' },
    webhooks: { takes: [''], because: 'there are no webhooks here' },
  });
  return command.action(async (flags) => (await import('./run-cloud-controller-manager.js')).runCloudControllerManager(flags));
}

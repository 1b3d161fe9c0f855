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
  type SettledFlag,
  share,
  wholeNumber,
} from '@coxswain/command';
import { concurrencyFlags } from './concurrency-flags.js';

/** kube-controller-manager as a program, with upstream's flag names. */
export function controllerManagerCommand(): Command {
  const command = componentCommand('coxswain-controller-manager', 'run kube-controller-manager alone')
    .option('--controllers <list>', '`*`, names, and -name to leave one out', list, ['*'])
    .addOption(onOff('allocate-node-cidrs', 'give each node a part of --cluster-cidr', false))
    .option('--cluster-cidr <cidrs>', 'networks of pods')
    .option('--node-cidr-mask-size <bits>', "size of a node's part, in clusters of one family", wholeNumber)
    .option('--node-cidr-mask-size-ipv4 <bits>', "size of a node's IPv4 part", wholeNumber)
    .option('--node-cidr-mask-size-ipv6 <bits>', "size of a node's IPv6 part", wholeNumber)
    .option('--service-cluster-ip-range <cidrs>', 'networks of Services: no node gets a part of them')
    .option('--cluster-name <name>', 'name of the cluster', 'kubernetes')
    .addOption(onOff('use-service-account-credentials', 'let each controller act as its own service account', false))
    .option('--root-ca-file <file>', 'CA that pods check the API server with')
    .option('--service-account-private-key-file <file>', 'signs legacy service account tokens')
    .option('--cluster-signing-cert-file <file>', 'CA that signs certificate requests')
    .option('--cluster-signing-key-file <file>', 'its key')
    .option('--cluster-signing-duration <duration>', 'how long certificates it signs are valid at most', seconds, 365 * 24 * 3600)
    .option('--node-monitor-grace-period <duration>', 'a node silent for so long is not ready', seconds, 50)
    .option('--node-monitor-period <duration>', 'how often nodes are looked at', seconds, 5)
    .option('--terminated-pod-gc-threshold <count>', 'so many ended pods may stay; 0: all', wholeNumber, 12_500)
    .option('--horizontal-pod-autoscaler-sync-period <duration>', 'how often numbers of replicas are weighed', seconds, 15)
    .option('--horizontal-pod-autoscaler-tolerance <share>', 'a metric may be so far from its target', share, 0.1)
    .option('--horizontal-pod-autoscaler-downscale-stabilization <duration>', 'wishes for more replicas are remembered for so long', seconds, 300)
    .option('--horizontal-pod-autoscaler-cpu-initialization-period <duration>', "a pod's CPU use says little for so long after its start", seconds, 300)
    .option('--horizontal-pod-autoscaler-initial-readiness-delay <duration>', 'changes of readiness within so long of its start are its start', seconds, 30);
  for (const [flag, { controller, byDefault }] of Object.entries(concurrencyFlags))
    command.option(`--${flag} <count>`, `objects ${controller} works on at once (default ${byDefault})`, wholeNumber);
  addClientFlags(command);
  addLeaderElectionFlags(command, 'kube-controller-manager');
  addServingFlags(command, 10257);
  addDebuggingFlags(command);
  addSettledFlags(command, settled);
  return command.action(async (flags) => (await import('./run-controller-manager.js')).runControllerManager(flags));
}

const signers = Object.fromEntries(
  ['kube-apiserver-client', 'kubelet-client', 'kubelet-serving', 'legacy-unknown'].flatMap((signer) =>
    ['cert', 'key'].map((part): [string, SettledFlag] => [
      `cluster-signing-${signer}-${part}-file`,
      { takes: [''], because: 'one CA signs for all signers: --cluster-signing-cert-file' },
    ]),
  ),
);

const settled: Readonly<Record<string, SettledFlag>> = {
  ...signers,
  'attach-detach-reconcile-sync-period': { takes: ['1m0s', '1m', '60s'], because: 'volumes are compared as they change, and every minute' },
  'cidr-allocator-type': { takes: ['RangeAllocator'], because: 'pod networks are parts of --cluster-cidr' },
  'cloud-config': { takes: [''], because: 'clouds are the cloud controller manager’s' },
  'cloud-provider': { takes: ['', 'external'], because: 'clouds are the cloud controller manager’s' },
  'concurrent-service-syncs': { takes: 'any', because: 'load balancers are the cloud controller manager’s' },
  'concurrent-validating-admission-policy-status-syncs': { takes: /^[1-9]\d*$/, because: 'the API server checks the types of policies: give a number from 1' },
  'configure-cloud-routes': { takes: 'any', because: 'routes are the cloud controller manager’s' },
  'controller-shutdown-timeout': { takes: ['10s'], because: 'controllers get 10 s to end' },
  'controller-start-interval': { takes: ['0s', '0'], because: 'controllers start together' },
  'disable-attach-detach-reconcile-sync': { takes: ['false'], because: 'volumes are compared every minute' },
  'disable-force-detach-on-timeout': { takes: ['false'], because: 'volumes of nodes that are gone are detached' },
  'enable-dynamic-provisioning': { takes: ['true'], because: 'provisioners make volumes' },
  'enable-garbage-collector': { takes: ['true'], because: 'leave it out with --controllers=*,-garbage-collector-controller' },
  'enable-hostpath-provisioner': { takes: ['false'], because: 'the local provisioner is an add-on' },
  'enable-leader-migration': { takes: ['false'], because: 'no controller moves between managers' },
  'endpoint-updates-batch-period': { takes: ['0s', '0'], because: 'endpoints are written as pods change' },
  'endpointslice-updates-batch-period': { takes: ['0s', '0'], because: 'endpoints are written as pods change' },
  'external-cloud-volume-plugin': { takes: [''], because: 'volumes of clouds are CSI drivers’' },
  'flex-volume-plugin-dir': { takes: 'any', because: 'there are no FlexVolumes here' },
  'large-cluster-size-threshold': { takes: ['50'], because: 'upstream’s default is used' },
  'leader-migration-config': { takes: [''], because: 'no controller moves between managers' },
  'legacy-service-account-token-clean-up-period': { takes: ['8760h0m0s', '8760h'], because: 'tokens of Secrets are not removed before a year has passed' },
  'max-endpoints-per-slice': { takes: ['100'], because: 'an EndpointSlice has 100 endpoints at most' },
  'min-resync-period': { takes: 'any', because: 'what has changed is watched, and nothing is gone through again' },
  'mirroring-endpointslice-updates-batch-period': { takes: ['0s', '0'], because: 'endpoints are written as they change' },
  'mirroring-max-endpoints-per-subset': { takes: ['1000'], because: 'upstream’s default is used' },
  'namespace-sync-period': { takes: ['5m0s', '5m'], because: 'namespaces are emptied as soon as they are deleted' },
  'node-eviction-rate': { takes: ['0.1'], because: 'upstream’s default is used' },
  'node-startup-grace-period': { takes: ['1m0s', '1m', '60s'], because: 'a node that has never told its status is not ready' },
  'pv-recycler-increment-timeout-nfs': { takes: 'any', because: 'nothing is recycled here' },
  'pv-recycler-minimum-timeout-hostpath': { takes: 'any', because: 'nothing is recycled here' },
  'pv-recycler-minimum-timeout-nfs': { takes: 'any', because: 'nothing is recycled here' },
  'pv-recycler-pod-template-filepath-hostpath': { takes: [''], because: 'nothing is recycled here' },
  'pv-recycler-pod-template-filepath-nfs': { takes: [''], because: 'nothing is recycled here' },
  'pv-recycler-timeout-increment-hostpath': { takes: 'any', because: 'nothing is recycled here' },
  'pvclaimbinder-sync-period': { takes: ['15s'], because: 'claims are bound as they come' },
  'resource-quota-sync-period': { takes: ['5m0s', '5m'], because: 'usage is counted as objects change' },
  'route-reconciliation-period': { takes: 'any', because: 'routes are the cloud controller manager’s' },
  'secondary-node-eviction-rate': { takes: ['0.01'], because: 'upstream’s default is used' },
  'unhealthy-zone-threshold': { takes: ['0.55'], because: 'upstream’s default is used' },
  'volume-host-allow-local-loopback': { takes: 'any', because: 'the manager reaches no volume hosts' },
  'volume-host-cidr-denylist': { takes: 'any', because: 'the manager reaches no volume hosts' },
};

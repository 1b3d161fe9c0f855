import { addSettledFlags, type Command, componentCommand, list, Option, pairs, type SettledFlag } from '@coxswain/command';
import { addConfigFlags } from './config-flags.js';

const NO_CADVISOR = 'containers are measured through the container runtime and cgroups, not by cAdvisor';

/** Upstream's flags that are no field of the configuration and have one answer here. */
const settledFlags: Readonly<Record<string, SettledFlag>> = {
  'pod-infra-container-image': { takes: 'any', because: 'the container runtime chooses and keeps its pause image' },
  'runtime-cgroups': { takes: 'any', because: "the runtime's cgroup is its own affair; its usage is not told apart" },
  'image-credential-provider-bin-dir': { takes: [''], because: 'credentials for images come from pull secrets' },
  'image-credential-provider-config': { takes: [''], because: 'credentials for images come from pull secrets' },
  'lock-file': { takes: [''], because: 'no lock file is taken: a second kubelet finds its port in use' },
  'exit-on-lock-contention': { takes: ['false'], because: 'no lock file is taken' },
  'maximum-dead-containers': { takes: ['-1'], because: 'containers that ended are kept by container, not by node' },
  'maximum-dead-containers-per-container': { takes: ['1'], because: 'one ended container of each is kept' },
  'minimum-container-ttl-duration': { takes: ['0', '0s', '0m0s'], because: 'containers that ended go by number, not by age' },
  'experimental-allocatable-ignore-eviction': { takes: ['false'], because: 'eviction thresholds are not allocatable' },
  'experimental-mounter-path': { takes: [''], because: 'mounts are made by the mount system call' },
  vmodule: { takes: [''], because: 'verbosity holds for all files' },
  'application-metrics-count-limit': { takes: 'any', because: NO_CADVISOR },
  'boot-id-file': { takes: ['/proc/sys/kernel/random/boot_id'], because: NO_CADVISOR },
  'container-hints': { takes: ['', '/etc/cadvisor/container_hints.json'], because: NO_CADVISOR },
  containerd: { takes: ['/run/containerd/containerd.sock', 'unix:///var/run/containerd.sock'], because: NO_CADVISOR },
  'containerd-namespace': { takes: ['k8s.io'], because: NO_CADVISOR },
  'enable-load-reader': { takes: ['false'], because: NO_CADVISOR },
  'event-storage-age-limit': { takes: 'any', because: NO_CADVISOR },
  'event-storage-event-limit': { takes: 'any', because: NO_CADVISOR },
  'global-housekeeping-interval': { takes: ['1m', '1m0s'], because: NO_CADVISOR },
  'housekeeping-interval': { takes: ['10s'], because: NO_CADVISOR },
  'log-cadvisor-usage': { takes: ['false'], because: NO_CADVISOR },
  'machine-id-file': { takes: ['/etc/machine-id,/var/lib/dbus/machine-id'], because: NO_CADVISOR },
};

/** The kubelet as a program, with upstream's flags. */
export function kubeletCommand(): Command {
  const command = componentCommand('coxswain-kubelet', 'run a kubelet alone, on any CRI server')
    .option('--kubeconfig <file>', 'how to reach the API server; without it only static pods run')
    .option('--bootstrap-kubeconfig <file>', 'credentials to get a client certificate and write --kubeconfig with, when that is missing or has expired')
    .option('--cert-dir <folder>', 'certificates of this node (default: pki below --root-dir)')
    .option('--config <file>', 'KubeletConfiguration; flags that are given win over it')
    .option('--config-dir <folder>', 'drop-in files *.conf, merged over --config in the order of their names')
    .option('--hostname-override <name>', "the node's name")
    .option('--node-ip <addresses>', "the node's addresses", list)
    .option('--node-labels <labels>', 'labels to register with, a=b,c=d', (text: string, before?: object) => ({ ...before, ...pairs(text) }))
    .addOption(new Option('--cloud-provider <name>', 'external: a cloud controller manager initialises the node').choices(['external', '']))
    .option('--root-dir <folder>', 'pods and volumes', '/var/lib/kubelet');
  addConfigFlags(command);
  addSettledFlags(command, settledFlags);
  return command.action(async (flags, self: Command) => {
    await (await import('./run-kubelet.js')).runKubelet(flags, self);
  });
}

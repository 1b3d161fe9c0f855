import { clientCommand, type Command, list, Option, pairs, portNumber, wholeNumber } from '@coxswain/command';

/** The kubelet as a program, with upstream's flag names. */
export function kubeletCommand(): Command {
  return clientCommand('coxswain-kubelet', 'run a kubelet alone, on any CRI server')
    .option('--config <file>', 'KubeletConfiguration; flags that are given win over it')
    .option('--container-runtime-endpoint <socket>', 'the CRI server', 'unix:///run/containerd/containerd.sock')
    .option('--hostname-override <name>', "the node's name")
    .option('--node-ip <addresses>', "the node's addresses", list)
    .option('--node-labels <labels>', 'labels to register with, a=b,c=d', pairs)
    .addOption(new Option('--cloud-provider <name>', 'external: a cloud controller manager initialises the node').choices(['external', '']))
    .option('--root-dir <folder>', 'pods and volumes', '/var/lib/kubelet')
    .option('--cgroup-root <path>', 'above all pods', '/')
    .option('--address <address>', 'where the HTTPS API listens', '0.0.0.0')
    .option('--port <port>', 'HTTPS API', portNumber, 10250)
    .option('--max-pods <count>', 'so many pods at most', wholeNumber)
    .option('--cluster-dns <addresses>', 'resolvers for pods', list)
    .option('--cluster-domain <domain>', 'of the cluster', 'cluster.local')
    .option('--pod-manifest-path <folder>', 'static pods')
    .option('--client-ca-file <file>', 'CA of API clients')
    .option('--tls-cert-file <file>', 'serving certificate')
    .option('--tls-private-key-file <file>', 'its key')
    .action(async (flags, command: Command) => {
      const given = (flag: keyof typeof flags) => command.getOptionValueSource(flag as string) === 'cli';
      await (await import('./run-kubelet.js')).runKubelet(flags, given);
    });
}

import { type Command, componentCommand, onOff, Option, portNumber, wholeNumber } from '@coxswain/command';

/** Each component alone, as its own package's program runs it, so that one can replace, or be replaced by, an upstream binary. */
const components = new Map<string, () => Command | Promise<Command>>([
  ['scheduler', async () => (await import('@coxswain/scheduler/command')).schedulerCommand()],
  ['controller-manager', async () => (await import('@coxswain/controller-manager/command')).controllerManagerCommand()],
  ['cloud-controller-manager', async () => (await import('@coxswain/cloud-controller-manager/command')).cloudControllerManagerCommand()],
  ['kubelet', async () => (await import('@coxswain/kubelet/command')).kubeletCommand()],
  ['kube-proxy', async () => (await import('@coxswain/kube-proxy/command')).kubeProxyCommand()],
  ['cri-containerd', async () => (await import('@coxswain/cri-containerd/command')).criContainerdCommand()],
  ['dockershim', async () => (await import('@coxswain/dockershim/command')).dockershimCommand()],
  ['cri-o', async () => (await import('@coxswain/cri-o/command')).crioCommand()],
  ['dns', async () => (await import('@coxswain/dns/command')).dnsCommand()],
  ['sdn-vxlan', sdnVxlanCommand],
  ['load-balancer', loadBalancerCommand],
  ['metrics-server', async () => (await import('@coxswain/metrics-server/command')).metricsServerCommand()],
  ['apiserver', async () => (await import('@coxswain/apiserver/command')).apiserverCommand()],
  ['etcd', async () => (await import('@coxswain/etcd-api/command')).etcdCommand()],
]);

/** The command of this component alone; of every one when there is none of the name. Together they have a thousand options, which only `--help` asks for at once. */
export async function componentCommands(name: string | undefined): Promise<Command[]> {
  const asked = [...components].filter(([each]) => each === name);
  return Promise.all((asked.length > 0 ? asked : [...components]).map(async ([each, make]) => (await make()).name(each)));
}

function sdnVxlanCommand(): Command {
  return componentCommand('sdn-vxlan', "carry a node's pods to and from those of other hosts; writes the CNI configuration")
    .option('--kubeconfig <file>', 'how to reach the API server')
    .option('--hostname-override <name>', "the node's name")
    .requiredOption('--cluster-cidr <cidrs>', 'networks of pods')
    .addOption(new Option('--mode <mode>', 'by routes where hosts share a link, in a tunnel, or both').choices(['auto', 'vxlan', 'direct']).default('auto'))
    .option('--cni-conf-dir <folder>', 'where the CNI configuration goes', '/etc/cni/net.d')
    .option('--bridge <name>', 'the bridge of the pods', 'cni0')
    .option('--device <name>', "the tunnel's link", 'cox-vxlan')
    .option('--vni <number>', "the tunnel's number, the same on every node", wholeNumber, 1)
    .option('--port <port>', "the tunnel's UDP port, the same on every node", portNumber, 8472)
    .addOption(onOff('cleanup', 'take tunnel, routes and rules away, and end', false))
    .action(async (flags) => (await import('./sdn-vxlan.js')).runSdn(flags));
}

function loadBalancerCommand(): Command {
  return componentCommand('load-balancer', 'stand in front of several API servers')
    .requiredOption('--listen <addresses>', 'where to listen: host:port, with commas')
    .requiredOption('--servers <addresses>', 'the API servers: host:port, with commas')
    .option('--health-path <path>', 'answers 200 on a server that is healthy', '/readyz')
    .option('--ca-file <file>', 'CA that must have signed their certificates')
    .action(async (flags) => (await import('./load-balancer.js')).runLoadBalancer(flags));
}

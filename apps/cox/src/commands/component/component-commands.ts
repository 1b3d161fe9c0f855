import { apiserverCommand } from '@coxswain/apiserver/command';
import { cloudControllerManagerCommand } from '@coxswain/cloud-controller-manager/command';
import { type Command, componentCommand, onOff, Option, portNumber, wholeNumber } from '@coxswain/command';
import { controllerManagerCommand } from '@coxswain/controller-manager/command';
import { criContainerdCommand } from '@coxswain/cri-containerd/command';
import { crioCommand } from '@coxswain/cri-o/command';
import { etcdCommand } from '@coxswain/etcd-api/command';
import { dnsCommand } from '@coxswain/dns/command';
import { dockershimCommand } from '@coxswain/dockershim/command';
import { kubeProxyCommand } from '@coxswain/kube-proxy/command';
import { kubeletCommand } from '@coxswain/kubelet/command';
import { metricsServerCommand } from '@coxswain/metrics-server/command';
import { schedulerCommand } from '@coxswain/scheduler/command';

/** Each component alone, as its own package's program runs it, so that one can replace, or be replaced by, an upstream binary. */
export function componentCommands(): Command[] {
  return [
    schedulerCommand().name('scheduler'),
    controllerManagerCommand().name('controller-manager'),
    cloudControllerManagerCommand().name('cloud-controller-manager'),
    kubeletCommand().name('kubelet'),
    kubeProxyCommand().name('kube-proxy'),
    criContainerdCommand().name('cri-containerd'),
    dockershimCommand().name('dockershim'),
    crioCommand().name('cri-o'),
    dnsCommand().name('dns'),
    componentCommand('sdn-vxlan', "carry a node's pods to and from those of other hosts; writes the CNI configuration")
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
      .action(async (flags) => (await import('./sdn-vxlan.js')).runSdn(flags)),
    componentCommand('load-balancer', 'stand in front of several API servers')
      .requiredOption('--listen <addresses>', 'where to listen: host:port, with commas')
      .requiredOption('--servers <addresses>', 'the API servers: host:port, with commas')
      .option('--health-path <path>', 'answers 200 on a server that is healthy', '/readyz')
      .option('--ca-file <file>', 'CA that must have signed their certificates')
      .action(async (flags) => (await import('./load-balancer.js')).runLoadBalancer(flags)),
    metricsServerCommand().name('metrics-server'),
    apiserverCommand().name('apiserver'),
    etcdCommand().name('etcd'),
  ];
}

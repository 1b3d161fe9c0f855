import { Command, InvalidArgumentError, Option } from 'commander';
import { logLevels } from '../../logger.js';

/** Each component alone, with upstream's flag names, so that one can replace, or be replaced by, an upstream binary. */
export function componentCommands(): Command[] {
  return [
    withKubeconfig('scheduler', 'run kube-scheduler alone')
      .option('--leader-elect', 'act only while holding the lease', true)
      .option('--no-leader-elect', 'act at once')
      .option('--bind-address <address>', 'where /healthz and /metrics are served', '0.0.0.0')
      .option('--secure-port <port>', 'their port; 0: not served', number, 10259)
      .action(async (flags) => (await import('./scheduler.js')).runScheduler(flags)),
    withKubeconfig('controller-manager', 'run kube-controller-manager alone')
      .option('--leader-elect', 'act only while holding the lease', true)
      .option('--no-leader-elect', 'act at once')
      .option('--bind-address <address>', 'where /healthz and /metrics are served', '0.0.0.0')
      .option('--secure-port <port>', 'their port; 0: not served', number, 10257)
      .option('--controllers <list>', '`*`, names, and -name to leave one out', '*')
      .option('--allocate-node-cidrs', 'give each node a part of --cluster-cidr', false)
      .option('--cluster-cidr <cidrs>', 'networks of pods')
      .option('--cluster-name <name>', 'name of the cluster', 'kubernetes')
      .option('--use-service-account-credentials', 'let each controller act as its own service account', true)
      .option('--no-use-service-account-credentials', 'let them all act as the kubeconfig says')
      .option('--root-ca-file <file>', 'CA that pods check the API server with')
      .option('--service-account-private-key-file <file>', 'signs legacy service account tokens')
      .option('--cluster-signing-cert-file <file>', 'CA that signs certificate requests')
      .option('--cluster-signing-key-file <file>', 'its key')
      .option('--node-monitor-grace-period <seconds>', 'a node silent for so long is not ready', number, 40)
      .action(async (flags) => (await import('./controller-manager.js')).runControllerManager(flags)),
    withKubeconfig('cloud-controller-manager', 'run cloud-controller-manager alone')
      .requiredOption('--cloud-provider <provider>', '`local`, or a module (a path or an npm package) that exports a cloud plugin')
      .option('--cloud-config <file>', 'configuration of the cloud, YAML or JSON')
      .option('--leader-elect', 'act only while holding the lease', true)
      .option('--no-leader-elect', 'act at once')
      .option('--bind-address <address>', 'where /healthz and /metrics are served', '0.0.0.0')
      .option('--secure-port <port>', 'their port; 0: not served', number, 10258)
      .option('--controllers <list>', '`*`, names, and -name to leave one out', '*')
      .option('--allocate-node-cidrs', 'nodes have pod networks of --cluster-cidr', false)
      .option('--cluster-cidr <cidrs>', 'networks of pods')
      .option('--cluster-name <name>', 'name of the cluster', 'kubernetes')
      .option('--configure-cloud-routes', 'make a route for each pod network (with --allocate-node-cidrs)', true)
      .option('--no-configure-cloud-routes', 'leave routes alone')
      .option('--concurrent-service-syncs <count>', 'services worked on at once', number, 1)
      .option('--node-monitor-period <seconds>', 'how often nodes that are not ready are looked for in the cloud', number, 5)
      .option('--node-status-update-frequency <seconds>', "how often nodes' addresses and labels are brought up to date", number, 300)
      .option('--route-reconciliation-period <seconds>', 'how often routes are compared', number, 10)
      .option('--use-service-account-credentials', 'let each controller act as its own service account', false)
      .action(async (flags) => (await import('./cloud-controller-manager.js')).runCloudControllerManager(flags)),
    withKubeconfig('kubelet', 'run a kubelet alone, on any CRI server')
      .option('--config <file>', 'KubeletConfiguration')
      .requiredOption('--container-runtime-endpoint <socket>', 'the CRI server, unix:///…')
      .option('--hostname-override <name>', "the node's name")
      .option('--node-ip <addresses>', "the node's addresses")
      .option('--node-labels <labels>', 'labels to register with, a=b,c=d')
      .addOption(new Option('--cloud-provider <name>', 'external: a cloud controller manager initialises the node').choices(['external', '']))
      .option('--root-dir <folder>', 'pods and volumes', '/var/lib/kubelet')
      .option('--cgroup-root <path>', 'above all pods', '/')
      .option('--port <port>', 'HTTPS API', number, 10250)
      .option('--cluster-dns <addresses>', 'resolvers for pods')
      .option('--cluster-domain <domain>', 'of the cluster', 'cluster.local')
      .option('--pod-manifest-path <folder>', 'static pods')
      .option('--client-ca-file <file>', 'CA of API clients')
      .option('--tls-cert-file <file>', 'serving certificate')
      .option('--tls-private-key-file <file>', 'its key')
      .action(async (flags) => (await import('./kubelet.js')).runKubelet(flags)),
    withKubeconfig('kube-proxy', 'run kube-proxy alone, with nftables or iptables')
      .addOption(new Option('--proxy-mode <mode>', 'what carries Services').choices(['iptables', 'nftables']).default('nftables'))
      .option('--cleanup', 'remove the rules of both modes, and exit', false)
      .option('--hostname-override <name>', "the node's name")
      .option('--node-ip <address>', "the node's address")
      .option('--cluster-cidr <cidrs>', 'networks of pods')
      .option('--healthz-port <port>', '/healthz and /metrics', number, 10256)
      .action(async (flags) => (await import('./kube-proxy.js')).runKubeProxy(flags)),
    base('cri-containerd', 'run the CRI server over containerd alone')
      .requiredOption('--listen <socket>', 'where to serve CRI, unix:///…')
      .option('--containerd-socket <path>', "containerd's socket", '/run/containerd/containerd.sock')
      .option('--containerd-root <folder>', "containerd's root", '/var/lib/containerd')
      .option('--root <folder>', 'state that survives reboots', '/var/lib/coxswain/cri-containerd')
      .option('--state <folder>', 'state that does not', '/run/coxswain/cri-containerd')
      .option('--cni-conf-dir <folder>', 'CNI configuration', '/etc/cni/net.d')
      .option('--cni-bin-dirs <folders>', 'CNI plugins', '/opt/cni/bin,/usr/lib/cni')
      .action(async (flags) => (await import('./cri-containerd.js')).runCriContainerd(flags)),
    base('dockershim', 'run the CRI server over the Docker Engine alone')
      .requiredOption('--listen <socket>', 'where to serve CRI, unix:///…')
      .option('--docker-endpoint <socket>', "the Docker Engine's socket, unix:///…", 'unix:///var/run/docker.sock')
      .option('--root <folder>', 'state that survives reboots', '/var/lib/coxswain/dockershim')
      .option('--state <folder>', 'state that does not', '/run/coxswain/dockershim')
      .option('--cni-conf-dir <folder>', 'CNI configuration', '/etc/cni/net.d')
      .option('--cni-bin-dirs <folders>', 'CNI plugins', '/opt/cni/bin,/usr/lib/cni')
      .action(async (flags) => (await import('./dockershim.js')).runDockershim(flags)),
    base('cri-o', 'run the CRI server with no daemon beneath alone')
      .requiredOption('--listen <socket>', 'where to serve CRI, unix:///…')
      .option('--root <folder>', 'images and containers; survives reboots', '/var/lib/coxswain/cri-o')
      .option('--state <folder>', 'state that does not', '/run/coxswain/cri-o')
      .option('--runtimes <list>', 'RuntimeClass handlers, the default first: runc, or name=/path/to/program (default: runc and crun, whichever are installed)')
      .option('--cni-conf-dir <folder>', 'CNI configuration', '/etc/cni/net.d')
      .option('--cni-bin-dirs <folders>', 'CNI plugins', '/opt/cni/bin,/usr/lib/cni')
      .action(async (flags) => (await import('./cri-o.js')).runCrio(flags)),
    withKubeconfig('dns', 'run cluster DNS alone')
      .requiredOption('--address <address>', 'where to listen')
      .option('--port <port>', 'DNS port', number, 53)
      .option('--health-port <port>', '/health, /ready and /metrics; 0: none', number, 8080)
      .option('--cluster-ip <address>', 'address of the kube-dns Service', '10.96.0.10')
      .option('--cluster-domain <domain>', 'of the cluster', 'cluster.local')
      .action(async (flags) => (await import('./dns.js')).runDns(flags)),
    base('sdn-vxlan', "carry a node's pods to and from those of other hosts; writes the CNI configuration")
      .option('--kubeconfig <file>', 'how to reach the API server')
      .option('--hostname-override <name>', "the node's name")
      .requiredOption('--cluster-cidr <cidrs>', 'networks of pods')
      .addOption(new Option('--mode <mode>', 'by routes where hosts share a link, in a tunnel, or both').choices(['auto', 'vxlan', 'direct']).default('auto'))
      .option('--cni-conf-dir <folder>', 'where the CNI configuration goes', '/etc/cni/net.d')
      .option('--bridge <name>', 'the bridge of the pods', 'cni0')
      .option('--device <name>', "the tunnel's link", 'cox-vxlan')
      .option('--vni <number>', "the tunnel's number, the same on every node", number, 1)
      .option('--port <port>', "the tunnel's UDP port, the same on every node", number, 8472)
      .option('--cleanup', 'take tunnel, routes and rules away, and end', false)
      .action(async (flags) => (await import('./sdn-vxlan.js')).runSdn(flags)),
    base('load-balancer', 'stand in front of several API servers')
      .requiredOption('--listen <addresses>', 'where to listen: host:port, with commas')
      .requiredOption('--servers <addresses>', 'the API servers: host:port, with commas')
      .option('--health-path <path>', 'answers 200 on a server that is healthy', '/readyz')
      .option('--ca-file <file>', 'CA that must have signed their certificates')
      .action(async (flags) => (await import('./load-balancer.js')).runLoadBalancer(flags)),
    withKubeconfig('metrics-server', 'run the metrics server alone')
      .requiredOption('--bind-address <address>', 'where to listen, as the API server reaches it')
      .option('--secure-port <port>', 'HTTPS port; 0: any free one', number, 4443)
      .option('--metric-resolution <seconds>', 'between two looks at the nodes', number, 15)
      .option('--kubelet-insecure-tls', "do not check kubelets' certificates", false)
      .option('--kubelet-port <port>', 'instead of the port a node says', number)
      .option('--kubelet-preferred-address-types <types>', 'which addresses of nodes to use, in order')
      .option('--no-announce', 'leave its Service, EndpointSlice and APIService to somebody else')
      .action(async (flags) => (await import('./metrics-server.js')).runMetricsServer(flags)),
    base('apiserver', "run kube-apiserver alone, with upstream's flags (cox help apiserver lists them)")
      .option('--store <folder>', 'folder of the embedded store', '/var/lib/coxswain/store')
      .allowUnknownOption()
      .allowExcessArguments()
      .action(async (values, command: Command) => {
        const { addApiServerFlags, runApiServer } = await import('./apiserver.js');
        // The table of flags is loaded with the API server: parse again with it.
        const full = addApiServerFlags(base('apiserver', '').option('--store <folder>', '', values.store)).parse(command.args, { from: 'user' });
        await runApiServer({ ...full.opts(), store: values.store, logLevel: values.logLevel });
      }),
  ];
}

function base(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(new Option('--log-level <level>').choices([...logLevels]).default('info'))
    .exitOverride();
}

function withKubeconfig(name: string, description: string): Command {
  return base(name, description).requiredOption('--kubeconfig <file>', 'how to reach the API server');
}

function number(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('give a whole number');
  return value;
}

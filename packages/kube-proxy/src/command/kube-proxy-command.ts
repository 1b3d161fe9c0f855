import {
  addDebuggingFlags,
  addSettledFlags,
  type Command,
  componentCommand,
  list,
  onOff,
  Option,
  portNumber,
  profilingFlag,
  seconds,
  wholeNumber,
} from '@coxswain/command';

/** kube-proxy as a program, with upstream's flag names. */
export function kubeProxyCommand(): Command {
  const command = componentCommand('coxswain-kube-proxy', 'run kube-proxy alone, with nftables or iptables')
    .option('--config <file>', 'KubeProxyConfiguration; flags that are given win over it')
    .option('--kubeconfig <file>', 'how to reach the API server; absent: as a pod does')
    .option('--master <url>', "the API server, instead of the kubeconfig's")
    .option('--kube-api-qps <number>', 'so many requests a second at most, after a burst; 0: no limit', Number)
    .option('--kube-api-burst <count>', 'requests that may come at once under --kube-api-qps', wholeNumber)
    .addOption(new Option('--proxy-mode <mode>', 'what carries Services (default: nftables)').choices(['iptables', 'nftables']))
    .addOption(onOff('cleanup', 'remove the rules of both modes, and exit', false))
    .addOption(onOff('init-only', 'do what needs the rights of the host (connection tracking), and exit', false))
    .option('--hostname-override <name>', "the node's name")
    .option('--bind-address <address>', "the node's address; 0.0.0.0: found out")
    .option('--node-ip <address>', "the node's address, as --bind-address")
    .option('--cluster-cidr <cidrs>', 'networks of pods')
    .option('--nodeport-addresses <cidrs>', 'addresses that answer on node ports; absent: all', list)
    .option('--healthz-bind-address <address>', '/healthz and /livez, ADDRESS:PORT; empty: not served (default: 0.0.0.0:10256)')
    .option('--healthz-port <port>', 'their port, with the address of --healthz-bind-address; 0: not served', portNumber)
    .option('--metrics-bind-address <address>', '/metrics, ADDRESS:PORT (default: 127.0.0.1:10249)')
    .option('--metrics-port <port>', 'its port; 0: not served', portNumber)
    .addOption(onOff('bind-address-hard-fail', 'a health or metrics port that is taken ends the proxy', false))
    .option('--conntrack-max-per-core <count>', 'connections to track per core; 0: left as it is', wholeNumber)
    .option('--conntrack-min <count>', 'connections to track at least, with --conntrack-max-per-core', wholeNumber)
    .option('--conntrack-tcp-timeout-established <duration>', 'how long idle connections are tracked; 0: left as it is', seconds)
    .option('--conntrack-tcp-timeout-close-wait <duration>', 'how long connections in CLOSE_WAIT are tracked; 0: left as it is', seconds)
    .option('--conntrack-udp-timeout <duration>', 'how long UDP is tracked; 0: left as it is', seconds)
    .option('--conntrack-udp-timeout-stream <duration>', 'how long UDP streams are tracked; 0: left as it is', seconds)
    .addOption(onOff('conntrack-tcp-be-liberal', 'packets out of window are not invalid', false))
    .option('--iptables-min-sync-period <duration>', 'how long changes are gathered before rules are written', seconds)
    .option('--nftables-min-sync-period <duration>', 'as --iptables-min-sync-period', seconds)
    .option('--oom-score-adj <value>', "the process's oom_score_adj", Number);
  command.addOption(profilingFlag());
  addDebuggingFlags(command);
  addSettledFlags(command, {
    'config-sync-period': { takes: 'any', because: 'Services and EndpointSlices are watched' },
    'write-config-to': { takes: [''], because: 'a configuration is read, and never written' },
    'detect-local-mode': { takes: ['', 'ClusterCIDR'], because: 'traffic of --cluster-cidr is local' },
    'iptables-localhost-nodeports': { takes: ['true'], because: 'node ports answer on localhost, too' },
    'iptables-masquerade-bit': { takes: ['14'], because: 'packets are marked with bit 14' },
    'iptables-sync-period': { takes: 'any', because: 'rules are written as things change' },
    'ipvs-exclude-cidrs': { takes: 'any', because: 'there is no ipvs mode' },
    'ipvs-min-sync-period': { takes: 'any', because: 'there is no ipvs mode' },
    'ipvs-scheduler': { takes: 'any', because: 'there is no ipvs mode' },
    'ipvs-strict-arp': { takes: 'any', because: 'there is no ipvs mode' },
    'ipvs-sync-period': { takes: 'any', because: 'there is no ipvs mode' },
    'ipvs-tcp-timeout': { takes: 'any', because: 'there is no ipvs mode' },
    'ipvs-tcpfin-timeout': { takes: 'any', because: 'there is no ipvs mode' },
    'ipvs-udp-timeout': { takes: 'any', because: 'there is no ipvs mode' },
    'kube-api-content-type': {
      takes: ['', 'application/json', 'application/vnd.kubernetes.protobuf'],
      because: 'JSON is spoken with the API server, which takes both',
    },
    'masquerade-all': { takes: ['false'], because: 'traffic from pods keeps its address' },
    'nftables-sync-period': { takes: 'any', because: 'rules are written as things change' },
    'pod-bridge-interface': { takes: [''], because: 'traffic of --cluster-cidr is local' },
    'pod-interface-name-prefix': { takes: [''], because: 'traffic of --cluster-cidr is local' },
    'proxy-port-range': { takes: 'any', because: 'no port of the host is used' },
  });
  return command.action(async (flags) => (await import('./run-kube-proxy.js')).runKubeProxy(flags));
}

import { clientCommand, type Command, onOff, Option, portNumber } from '@coxswain/command';

/** kube-proxy as a program, with upstream's flag names. */
export function kubeProxyCommand(): Command {
  return clientCommand('coxswain-kube-proxy', 'run kube-proxy alone, with nftables or iptables')
    .addOption(new Option('--proxy-mode <mode>', 'what carries Services').choices(['iptables', 'nftables']).default('nftables'))
    .addOption(onOff('cleanup', 'remove the rules of both modes, and exit', false))
    .option('--hostname-override <name>', "the node's name")
    .option('--node-ip <address>', "the node's address")
    .option('--cluster-cidr <cidrs>', 'networks of pods')
    .option('--healthz-port <port>', '/healthz and /metrics', portNumber, 10256)
    .action(async (flags) => (await import('./run-kube-proxy.js')).runKubeProxy(flags));
}

import { clientCommand, type Command, portNumber } from '@coxswain/command';

/** Cluster DNS as a program. */
export function dnsCommand(): Command {
  return clientCommand('coxswain-dns', 'run cluster DNS alone')
    .requiredOption('--address <address>', 'where to listen')
    .option('--port <port>', 'DNS port', portNumber, 53)
    .option('--health-port <port>', '/health, /ready and /metrics; 0: none', portNumber, 8080)
    .option('--cluster-ip <address>', 'address of the kube-dns Service', '10.96.0.10')
    .option('--cluster-domain <domain>', 'of the cluster', 'cluster.local')
    .action(async (flags) => (await import('./run-dns.js')).runDns(flags));
}

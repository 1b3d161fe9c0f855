import { clientCommand, type Command, list, onOff, portNumber, seconds } from '@coxswain/command';

/** The metrics server as a program, with upstream's flag names. */
export function metricsServerCommand(): Command {
  return clientCommand('coxswain-metrics-server', 'run the metrics server alone')
    .requiredOption('--bind-address <address>', 'where to listen, as the API server reaches it')
    .option('--secure-port <port>', 'HTTPS port; 0: any free one', portNumber, 4443)
    .option('--metric-resolution <duration>', 'between two looks at the nodes', seconds, 15)
    .addOption(onOff('kubelet-insecure-tls', "do not check kubelets' certificates", false))
    .option('--kubelet-port <port>', 'instead of the port a node says', portNumber)
    .option('--kubelet-preferred-address-types <types>', 'which addresses of nodes to use, in order', list)
    .addOption(onOff('announce', 'make its Service, EndpointSlice and APIService', true))
    .action(async (flags) => (await import('./run-metrics-server.js')).runMetricsServer(flags));
}

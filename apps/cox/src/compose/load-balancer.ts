import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterConfig, controlPlaneViews, loadBalancer } from '@coxswain/cluster';
import { component, createHost, type Host } from '@coxswain/host';
import { Clock, type Logger, Logger as LoggerToken } from '@coxswain/sdk';

/** What stands in front of the API servers of a cluster's hosts: on loopback for people, at the machine's end of the link for hosts. */
export function loadBalancerHost(config: ClusterConfig, logger: Logger): Promise<Host> {
  const { apiServer: port } = config.ports;
  const balancer = component('load-balancer', [Clock, LoggerToken], (clock, log) =>
    loadBalancer({
      listen: [
        { address: '127.0.0.1', port },
        { address: config.hostNetwork.gateway, port },
      ],
      backends: controlPlaneViews(config).map(({ nodeIP }) => ({ address: nodeIP, port })),
      check: { ca: readFileSync(join(config.paths.pki, 'ca.crt'), 'utf8') },
      clock,
      logger: log.child({ component: 'load-balancer' }),
    }),
  );
  return createHost({ components: [balancer], logger });
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressForwarder } from '@coxswain/cloud-local';
import { type ClusterConfig, controlPlaneViews, loadBalancer } from '@coxswain/cluster';
import { component, createHost, type Host } from '@coxswain/host';
import { Clock, type Logger, Logger as LoggerToken } from '@coxswain/sdk';

/**
 * What stands in front of a cluster's hosts: of their API servers, on loopback for people and at the machine's end of the link for hosts; and
 * the cloud's load balancers, whose addresses lead from the machine to the hosts.
 */
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
  const { cloud, hostNetwork, paths, ports } = config;
  const forwarder = component('address-forwarder', [Clock, LoggerToken], (clock, log) =>
    addressForwarder({
      folder: paths.cloud,
      link: hostNetwork.bridge,
      healthPort: ports.proxyHealth,
      clock,
      logger: log.child({ component: 'address-forwarder' }),
    }),
  );
  return createHost({ components: [balancer, ...(cloud ? [forwarder] : [])], logger });
}

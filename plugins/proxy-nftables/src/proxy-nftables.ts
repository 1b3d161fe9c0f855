import { configObject, definePlugin, field, Logger, ServiceProxy, type ServiceProxyNode } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { NftablesProxy } from './nftables-proxy.js';

/** Binds `ServiceProxy`. Config names the node, as whoever composes the host knows it. */
export const proxyNftables = definePlugin({
  point: 'coxswain.service-proxy.v1',
  name: 'proxy-nftables',
  description: 'Services by nftables: ClusterIP, NodePort, external and load balancer addresses',
  sdk: '^0.1.0',
  requires: [Logger],
  config: configObject({
    table: field.string('coxswain-proxy'),
    nodeName: field.string(),
    nodeIPs: field.list(field.string(), []),
    clusterCIDRs: field.list(field.string(), []),
    nodePortAddresses: field.list(field.string(), []),
    localhostNodePorts: field.boolean(true),
    hostNetns: field.optional(field.string()),
  }),
  module: ({ table, hostNetns, localhostNodePorts, ...rest }) =>
    new ContainerModule(({ bind }) => {
      const node: ServiceProxyNode = rest;
      bind(ServiceProxy)
        .toResolvedValue(
          (logger: Logger) => new NftablesProxy({ table, node, localhostNodePorts, logger, ...(hostNetns === undefined ? {} : { hostNetns }) }),
          [Logger],
        )
        .inSingletonScope();
    }),
});

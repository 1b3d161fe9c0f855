import { configObject, definePlugin, field, Logger, ServiceProxy, type ServiceProxyNode } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { IptablesProxy } from './iptables-proxy.js';

/** Binds `ServiceProxy`. Config names the node, as whoever composes the host knows it. */
export const proxyIptables = definePlugin({
  point: 'coxswain.service-proxy.v1',
  name: 'proxy-iptables',
  description: 'Services by iptables: ClusterIP, NodePort, external and load balancer addresses',
  sdk: '^0.1.0',
  requires: [Logger],
  config: configObject({
    suffix: field.string(''),
    backend: field.oneOf(['auto', 'nft', 'legacy'], 'auto'),
    nodeName: field.string(),
    nodeIPs: field.list(field.string(), []),
    clusterCIDRs: field.list(field.string(), []),
    nodePortAddresses: field.list(field.string(), []),
    localhostNodePorts: field.boolean(true),
    hostNetns: field.optional(field.string()),
  }),
  module: ({ suffix, backend, hostNetns, localhostNodePorts, ...rest }) =>
    new ContainerModule(({ bind }) => {
      const node: ServiceProxyNode = rest;
      bind(ServiceProxy)
        .toResolvedValue(
          (logger: Logger) => new IptablesProxy({ suffix, backend, node, localhostNodePorts, logger, ...(hostNetns === undefined ? {} : { hostNetns }) }),
          [Logger],
        )
        .inSingletonScope();
    }),
});

import { hostname } from 'node:os';
import { KubeClient, transportFromKubeconfig } from '@coxswain/client';
import { detectNodeIP } from '@coxswain/cluster';
import { component } from '@coxswain/host';
import { KubeProxy } from '@coxswain/kube-proxy';
import { proxyNftables } from '@coxswain/proxy-nftables';
import { Clock, Logger, Random, ServiceProxy, use } from '@coxswain/sdk';
import type { LogLevel } from '../../logger.js';
import { runComponents } from './run-component.js';

export interface KubeProxyFlags {
  readonly kubeconfig: string;
  readonly hostnameOverride?: string;
  readonly nodeIp?: string;
  readonly clusterCidr?: string;
  readonly healthzPort: number;
  readonly logLevel: LogLevel;
}

export function runKubeProxy(flags: KubeProxyFlags): Promise<void> {
  const nodeName = flags.hostnameOverride ?? hostname().toLowerCase();
  const nodeIP = flags.nodeIp ?? detectNodeIP();
  return runComponents(
    'kube-proxy',
    flags.logLevel,
    [
      component(
        'kube-proxy',
        [ServiceProxy, Clock, Random, Logger],
        (proxy, clock, random, logger) =>
          new KubeProxy({
            client: new KubeClient({ transport: transportFromKubeconfig({ path: flags.kubeconfig }), userAgent: 'kube-proxy/v1.36.0' }),
            proxy,
            nodeName,
            clock,
            random,
            logger,
            serve: { address: '0.0.0.0', port: flags.healthzPort },
          }),
      ),
    ],
    [use(proxyNftables, { nodeName, nodeIPs: nodeIP === undefined ? [] : [nodeIP], clusterCIDRs: flags.clusterCidr?.split(',') ?? [] })],
  );
}

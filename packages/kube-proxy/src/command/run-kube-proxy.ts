import { KUBERNETES_VERSION, type LogLevel } from '@coxswain/command';
import { runComponents } from '@coxswain/command/run';
import { hostname } from 'node:os';
import { KubeClient, transportFromKubeconfig } from '@coxswain/client';
import { detectNodeIP } from '@coxswain/linux';
import { component } from '@coxswain/host';
import { KubeProxy } from '../index.js';
import { IptablesError, IptablesProxy, proxyIptables } from '@coxswain/proxy-iptables';
import { NftablesProxy, proxyNftables } from '@coxswain/proxy-nftables';
import { Clock, Logger, Random, ServiceProxy, type ServiceProxyNode, use } from '@coxswain/sdk';

export interface KubeProxyFlags {
  readonly kubeconfig: string;
  readonly hostnameOverride?: string;
  readonly nodeIp?: string;
  readonly clusterCidr?: string;
  readonly healthzPort: number;
  readonly proxyMode: 'iptables' | 'nftables';
  readonly cleanup: boolean;
  readonly logLevel: LogLevel;
}

/** kube-proxy in the foreground; with `--cleanup`, only the end of its rules. Starting it removes those of the other mode. */
export async function runKubeProxy(flags: KubeProxyFlags): Promise<void> {
  const nodeName = flags.hostnameOverride ?? hostname().toLowerCase();
  const nodeIP = flags.nodeIp ?? detectNodeIP();
  const node = { nodeName, nodeIPs: nodeIP === undefined ? [] : [nodeIP], clusterCIDRs: flags.clusterCidr?.split(',') ?? [], nodePortAddresses: [] };
  if (flags.cleanup || flags.proxyMode === 'iptables') await new NftablesProxy({ node }).cleanup();
  if (flags.cleanup || flags.proxyMode === 'nftables') await removeIptablesRules(node);
  if (flags.cleanup) return;
  await runComponents(
    'kube-proxy',
    flags.logLevel,
    [
      component(
        'kube-proxy',
        [ServiceProxy, Clock, Random, Logger],
        (proxy, clock, random, logger) =>
          new KubeProxy({
            client: new KubeClient({ transport: transportFromKubeconfig({ path: flags.kubeconfig }), userAgent: `kube-proxy/${KUBERNETES_VERSION}` }),
            proxy,
            nodeName,
            clock,
            random,
            logger,
            serve: { address: '0.0.0.0', port: flags.healthzPort },
          }),
      ),
    ],
    [flags.proxyMode === 'iptables' ? use(proxyIptables, node) : use(proxyNftables, node)],
  );
}

/** A machine without iptables has no rules of it. */
async function removeIptablesRules(node: ServiceProxyNode): Promise<void> {
  try {
    await new IptablesProxy({ node }).cleanup();
  } catch (error) {
    if (!(error instanceof IptablesError && error.notInstalled)) throw error;
  }
}

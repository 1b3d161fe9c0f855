import { writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { availableParallelism, hostname } from 'node:os';
import { CliError, list, type LogFormat, type LogLevel, processFlags, setLogFormat } from '@coxswain/command';
import { kubeClient, requestLimit, runComponents } from '@coxswain/command/run';
import { component } from '@coxswain/host';
import { detectNodeIP } from '@coxswain/linux';
import { IptablesError, IptablesProxy, proxyIptables } from '@coxswain/proxy-iptables';
import { NftablesProxy, proxyNftables } from '@coxswain/proxy-nftables';
import { KUBERNETES_VERSION, Clock, Logger, Random, ServiceProxy, type ServiceProxyNode, use } from '@coxswain/sdk';
import { KubeProxy, type ProxyListener } from '../index.js';
import { applyConntrack, conntrackSysctls } from './conntrack.js';
import { readKubeProxyConfiguration } from './kube-proxy-configuration.js';

export interface KubeProxyFlags {
  readonly config?: string;
  readonly kubeconfig?: string;
  readonly master?: string;
  readonly kubeApiQps?: number;
  readonly kubeApiBurst?: number;
  readonly proxyMode?: 'iptables' | 'nftables';
  readonly cleanup: boolean;
  readonly initOnly: boolean;
  readonly hostnameOverride?: string;
  readonly bindAddress?: string;
  readonly nodeIp?: string;
  readonly clusterCidr?: string;
  readonly nodeportAddresses?: readonly string[];
  readonly healthzBindAddress?: string;
  readonly healthzPort?: number;
  readonly metricsBindAddress?: string;
  readonly metricsPort?: number;
  readonly bindAddressHardFail?: boolean;
  readonly conntrackMaxPerCore?: number;
  readonly conntrackMin?: number;
  readonly conntrackTcpTimeoutEstablished?: number;
  readonly conntrackTcpTimeoutCloseWait?: number;
  readonly conntrackUdpTimeout?: number;
  readonly conntrackUdpTimeoutStream?: number;
  readonly conntrackTcpBeLiberal?: boolean;
  readonly iptablesMinSyncPeriod?: number;
  readonly nftablesMinSyncPeriod?: number;
  readonly oomScoreAdj?: number;
  readonly profiling?: boolean;
  readonly loggingFormat?: LogFormat;
  /** Of the file; a flag is in `logLevel` already. */
  readonly verbosity?: number;
  readonly logLevel: LogLevel;
}

/** kube-proxy in the foreground; with `--cleanup`, only the end of its rules. Starting it removes those of the other mode. */
export async function runKubeProxy(given: KubeProxyFlags): Promise<void> {
  // What a flag does not say, the file may.
  const flags = given.config === undefined ? given : { ...readKubeProxyConfiguration(given.config), ...given };
  setLogFormat(flags.loggingFormat ?? 'json');
  const mode = flags.proxyMode ?? 'nftables';
  const node = proxyNode(flags);
  const healthz = listener('--healthz-bind-address', flags.healthzBindAddress, flags.healthzPort, '0.0.0.0:10256');
  const metrics = listener('--metrics-bind-address', flags.metricsBindAddress, flags.metricsPort, '127.0.0.1:10249');
  if (flags.cleanup || mode === 'iptables') await new NftablesProxy({ node }).cleanup();
  if (flags.cleanup || mode === 'nftables') await removeIptablesRules(node);
  if (flags.cleanup) return;
  setUpHost(flags);
  if (flags.initOnly) return;
  const limit = requestLimit({ kubeApiQps: flags.kubeApiQps ?? 0, kubeApiBurst: flags.kubeApiBurst ?? 10 });
  const client = kubeClient(flags, `kube-proxy/${KUBERNETES_VERSION}`, limit);
  const gather = mode === 'iptables' ? flags.iptablesMinSyncPeriod : flags.nftablesMinSyncPeriod;
  await runComponents(
    'kube-proxy',
    (flags.verbosity ?? 0) >= 4 ? 'debug' : flags.logLevel,
    [
      component('kube-proxy', [ServiceProxy, Clock, Random, Logger], (proxy, clock, random, logger) => {
        const options = { client, proxy, nodeName: node.nodeName, clock, random, logger, hardFail: flags.bindAddressHardFail ?? false };
        return new KubeProxy({
          ...options,
          ...(healthz && { serve: healthz }),
          metrics: metrics && { ...metrics, mode, profiling: flags.profiling ?? false, flags: processFlags() },
          ...(gather ? { gatherMs: gather * 1000 } : {}),
        });
      }),
    ],
    [mode === 'iptables' ? use(proxyIptables, node) : use(proxyNftables, node)],
  );
}

function proxyNode(flags: KubeProxyFlags): ServiceProxyNode {
  const bound = flags.nodeIp ?? flags.bindAddress;
  if (bound !== undefined && isIP(bound) === 0) throw new CliError(`--bind-address: ${JSON.stringify(bound)} is not an IP address`, undefined, 2);
  const nodeIP = bound === undefined || bound === '0.0.0.0' || bound === '::' ? detectNodeIP() : bound;
  return {
    nodeName: flags.hostnameOverride ?? hostname().toLowerCase(),
    nodeIPs: nodeIP === undefined ? [] : [nodeIP],
    clusterCIDRs: list(flags.clusterCidr ?? ''),
    nodePortAddresses: (flags.nodeportAddresses ?? []).map((cidr) => nodePortAddress(cidr, nodeIP)),
  };
}

function nodePortAddress(cidr: string, nodeIP: string | undefined): string {
  if (cidr === 'primary' && nodeIP !== undefined) return nodeIP;
  const [ip = '', prefix] = cidr.split('/');
  if (isIP(ip) === 0 || (prefix !== undefined && !/^\d+$/.test(prefix)))
    throw new CliError(`--nodeport-addresses: ${JSON.stringify(cidr)} is not a CIDR`, 'give CIDRs such as 10.0.0.0/8, or primary', 2);
  return cidr;
}

/** ADDRESS:PORT, [ADDRESS]:PORT or ADDRESS; the port may come by a flag of its own. Undefined: not served. */
function listener(flag: string, text: string | undefined, port: number | undefined, byDefault: string): ProxyListener | undefined {
  if (text === '' || port === 0) return undefined;
  const parse = (value: string) => /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(value) ?? (isIP(value) === 0 ? null : [value, value, undefined, undefined]);
  const [, v6, v4, at] = parse(text ?? byDefault) ?? [];
  const address = v6 ?? v4 ?? '';
  const number = port ?? Number(at ?? byDefault.split(':').at(-1));
  if (isIP(address) === 0 || number > 65_535) throw new CliError(`${flag}: ${JSON.stringify(text)} is not ADDRESS:PORT`, undefined, 2);
  return number === 0 ? undefined : { address, port: number };
}

function setUpHost(flags: KubeProxyFlags): void {
  const settings = {
    maxPerCore: flags.conntrackMaxPerCore,
    min: flags.conntrackMin ?? 131_072,
    tcpEstablished: flags.conntrackTcpTimeoutEstablished,
    tcpCloseWait: flags.conntrackTcpTimeoutCloseWait,
    udp: flags.conntrackUdpTimeout,
    udpStream: flags.conntrackUdpTimeoutStream,
    tcpBeLiberal: flags.conntrackTcpBeLiberal,
  };
  applyConntrack(conntrackSysctls(settings, availableParallelism()));
  if (flags.oomScoreAdj !== undefined) writeFileSync('/proc/self/oom_score_adj', String(flags.oomScoreAdj));
}

/** A machine without iptables has no rules of it. */
async function removeIptablesRules(node: ServiceProxyNode): Promise<void> {
  try {
    await new IptablesProxy({ node }).cleanup();
  } catch (error) {
    if (!(error instanceof IptablesError && error.notInstalled)) throw error;
  }
}

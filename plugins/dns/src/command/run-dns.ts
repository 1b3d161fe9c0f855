import { CliError, type LogLevel } from '@coxswain/command';
import { runComponents } from '@coxswain/command/run';
import { hostname } from 'node:os';
import { ContainerModule } from 'inversify';
import { all, component } from '@coxswain/host';
import { dnsAddon } from '../index.js';
import { Addon, AddonContext, use } from '@coxswain/sdk';

export interface DnsFlags {
  readonly kubeconfig: string;
  readonly address: string;
  readonly port: number;
  readonly healthPort: number;
  readonly clusterIp: string;
  readonly clusterDomain: string;
  readonly logLevel: LogLevel;
}

export function runDns(flags: DnsFlags): Promise<void> {
  const context = {
    clusterDomain: flags.clusterDomain,
    hostIP: flags.address,
    nodeName: hostname().toLowerCase(),
    clusterDnsIP: flags.clusterIp,
    stateDir: '/var/lib/coxswain/dns',
  };
  const where = new ContainerModule(({ bind }) => {
    bind(AddonContext).toConstantValue(context);
  });
  const first = component('dns', [all(Addon)], (addons) => {
    const [dns] = addons;
    if (!dns) throw new CliError('the DNS add-on is not bound');
    return dns;
  });
  return runComponents(
    'dns',
    flags.logLevel,
    [first],
    [use(dnsAddon, { kubeconfig: flags.kubeconfig, port: flags.port, metricsPort: flags.healthPort })],
    [where],
  );
}

import { hostname } from 'node:os';
import { all, component } from '@coxswain/host';
import { addonContextModule } from '@coxswain/cluster';
import { dnsAddon } from '@coxswain/dns';
import { Addon, use } from '@coxswain/sdk';
import { CliError } from '../../cli-error.js';
import type { LogLevel } from '../../logger.js';
import { runComponents } from './run-component.js';

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
  const context = addonContextModule({
    clusterDomain: flags.clusterDomain,
    hostIP: flags.address,
    nodeName: hostname().toLowerCase(),
    clusterDnsIP: flags.clusterIp,
    stateDir: '/var/lib/coxswain/dns',
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
    [context],
  );
}

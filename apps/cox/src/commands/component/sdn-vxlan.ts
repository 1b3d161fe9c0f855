import { CliError, type LogLevel } from '@coxswain/command';
import { runComponents } from '@coxswain/command/run';
import { hostname } from 'node:os';
import { addonContextModule } from '@coxswain/cluster';
import { detectNodeIP } from '@coxswain/linux';
import { all, component } from '@coxswain/host';
import { Addon, use } from '@coxswain/sdk';
import { Kernel, type Mode, sdnVxlan } from '@coxswain/sdn-vxlan';

export interface SdnFlags {
  readonly kubeconfig?: string;
  readonly hostnameOverride?: string;
  readonly clusterCidr: string;
  readonly mode: Mode;
  readonly cniConfDir: string;
  readonly bridge: string;
  readonly device: string;
  readonly vni: number;
  readonly port: number;
  readonly cleanup: boolean;
  readonly logLevel: LogLevel;
}

const TABLE = 'coxswain-sdn';

export async function runSdn(flags: SdnFlags): Promise<void> {
  const { device, vni, port, mode, bridge, cniConfDir } = flags;
  const clusterCIDRs = flags.clusterCidr.split(',');
  if (flags.cleanup) return new Kernel({ device, vni, port, table: TABLE, clusterCIDRs }).cleanup();
  if (flags.kubeconfig === undefined) throw new CliError('--kubeconfig is missing', 'name the file that says how to reach the API server', 2);
  const context = addonContextModule({
    clusterDomain: 'cluster.local',
    hostIP: detectNodeIP() ?? '',
    nodeName: flags.hostnameOverride ?? hostname().toLowerCase(),
    clusterDnsIP: '',
    stateDir: '/var/lib/coxswain/sdn',
  });
  const first = component('sdn-vxlan', [all(Addon)], (addons) => {
    const [sdn] = addons;
    if (!sdn) throw new CliError('the pod network is not bound');
    return sdn;
  });
  const plugin = use(sdnVxlan, { kubeconfig: flags.kubeconfig, clusterCIDRs, cniConfDir, mode, bridge, device, vni, port, table: TABLE });
  return runComponents('sdn-vxlan', flags.logLevel, [first], [plugin], [context]);
}

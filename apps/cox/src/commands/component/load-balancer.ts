import { CliError, type LogLevel, readFlagFile } from '@coxswain/command';
import { runComponents } from '@coxswain/command/run';
import { type Endpoint, loadBalancer } from '@coxswain/cluster';
import { component } from '@coxswain/host';
import { Clock, Logger } from '@coxswain/sdk';

export interface LoadBalancerFlags {
  readonly listen: string;
  readonly servers: string;
  readonly healthPath: string;
  readonly caFile?: string;
  readonly logLevel: LogLevel;
}

export function runLoadBalancer(flags: LoadBalancerFlags): Promise<void> {
  const listen = endpoints('--listen', flags.listen);
  const backends = endpoints('--servers', flags.servers);
  const ca = flags.caFile === undefined ? {} : { ca: readFlagFile('--ca-file', flags.caFile) };
  const balancer = component('load-balancer', [Clock, Logger], (clock, logger) =>
    loadBalancer({ listen, backends, check: { path: flags.healthPath, ...ca }, clock, logger }),
  );
  return runComponents('load-balancer', flags.logLevel, [balancer]);
}

function endpoints(flag: string, text: string): Endpoint[] {
  return text.split(',').map((item) => {
    const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):(\d+)$/.exec(item);
    const port = Number(match?.[3]);
    if (!match || port < 1 || port > 65535) throw new CliError(`${flag}: "${item}" is not host:port`, undefined, 2);
    return { address: match[1] ?? match[2] ?? '', port };
  });
}

import type { LogLevel } from '@coxswain/command';
import { runComponents } from '@coxswain/command/run';
import { apiServerRuntime } from '@coxswain/apiserver';
import { component } from '@coxswain/host';
import { MetricsServer } from '../index.js';
import { Clock, Logger, Random } from '@coxswain/sdk';

export interface MetricsServerFlags {
  readonly kubeconfig: string;
  readonly bindAddress: string;
  readonly securePort: number;
  readonly metricResolution: number;
  readonly kubeletInsecureTls: boolean;
  readonly kubeletPort?: number;
  readonly kubeletPreferredAddressTypes?: readonly string[];
  readonly announce: boolean;
  readonly logLevel: LogLevel;
}

/** The metrics server in the foreground. */
export function runMetricsServer(flags: MetricsServerFlags): Promise<void> {
  const types = flags.kubeletPreferredAddressTypes;
  return runComponents('metrics-server', flags.logLevel, [
    component(
      'metrics-server',
      [Clock, Random, Logger],
      (clock, random, logger) =>
        new MetricsServer({
          runtime: apiServerRuntime({ clock, random, logger }),
          clock,
          logger,
          kubeconfig: flags.kubeconfig,
          address: flags.bindAddress,
          port: flags.securePort,
          resolutionMs: flags.metricResolution * 1000,
          kubeletInsecureTls: flags.kubeletInsecureTls,
          ...(flags.kubeletPort === undefined ? {} : { kubeletPort: flags.kubeletPort }),
          ...(types ? { addressTypes: types } : {}),
          ...(flags.announce ? { announce: { namespace: 'kube-system' } } : {}),
        }),
    ),
  ]);
}

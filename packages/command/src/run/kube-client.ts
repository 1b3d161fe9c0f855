import { clientConfig, HttpsTransport, inClusterConfig, KubeconfigError, KubeClient, limitedTransport, readKubeconfig, type Transport } from '@coxswain/client';
import type { HttpsTransportOptions, RequestLimit } from '@coxswain/client';
import { systemClock } from '@coxswain/sdk';
import { CliError } from '../cli-error.js';
import type { ClientFlags } from '../component-flags.js';

/** How to reach the API server, by flags. Throws `CliError` that names the flag. */
export function transportOptions({ kubeconfig, master }: Pick<ClientFlags, 'kubeconfig' | 'master'>): HttpsTransportOptions {
  const { transport } = readConfig(kubeconfig, master);
  return master ? { ...transport, server: master } : transport;
}

function readConfig(kubeconfig: string | undefined, master: string | undefined): { readonly transport: HttpsTransportOptions } {
  try {
    if (kubeconfig) return clientConfig(readKubeconfig({ path: kubeconfig }));
    if (master) return { transport: { server: master, clock: systemClock } };
    return inClusterConfig();
  } catch (error) {
    if (kubeconfig) throw new CliError(`--kubeconfig: ${(error as Error).message}`, undefined, 2, { cause: error });
    if (error instanceof KubeconfigError) throw new CliError(`no --kubeconfig, and ${error.message}`, 'give --kubeconfig, or run in a pod', 2);
    throw error;
  }
}

/** The limit flags ask for. */
export function requestLimit({ kubeApiQps, kubeApiBurst }: Pick<ClientFlags, 'kubeApiQps' | 'kubeApiBurst'>): RequestLimit | undefined {
  return kubeApiQps > 0 ? { qps: kubeApiQps, burst: Math.max(1, kubeApiBurst) } : undefined;
}

/** A client for a component. `userAgent`: `kube-scheduler/v1.36.0`. */
export function kubeClient(flags: Pick<ClientFlags, 'kubeconfig' | 'master'>, userAgent: string, limit?: RequestLimit): KubeClient {
  const transport: Transport = new HttpsTransport(transportOptions(flags));
  return new KubeClient({ transport: limit ? limitedTransport(transport, limit, systemClock) : transport, userAgent });
}

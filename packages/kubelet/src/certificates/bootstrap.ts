import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { clientConfig, HttpsTransport, KubeClient, readKubeconfig } from '@coxswain/client';
import { writeFileAtomic } from '@coxswain/pki';
import type { Clock, Logger } from '@coxswain/sdk';
import { stringify } from 'yaml';
import { clientOrder, fulfils, orderCertificate } from './certificate-order.js';
import type { CertificateStore } from './certificate-store.js';

export interface BootstrapOptions {
  /** Written when it is missing or of no more use. */
  readonly kubeconfig: string;
  /** Its credentials (a bootstrap token) get the node its own. */
  readonly bootstrapKubeconfig: string;
  readonly store: CertificateStore;
  readonly nodeName: string;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;

/**
 * TLS bootstrap: a kubeconfig with the node's own client certificate. Nothing is done when there is one that is valid still. Each step is
 * whole before the next (key, certificate, kubeconfig), and each is looked for first: a start that was interrupted is gone on with.
 */
export async function bootstrapKubeconfig(options: BootstrapOptions, signal: AbortSignal): Promise<void> {
  const { kubeconfig, bootstrapKubeconfig: path, store, nodeName, clock, logger } = options;
  const why = unusable(kubeconfig, clock.now());
  if (why === undefined) return;
  logger.info('asking the cluster for a client certificate', { kubeconfig, reason: why });
  const bootstrap = readKubeconfig({ path });
  const order = clientOrder(nodeName);
  const pair = store.current();
  if (!pair || !fulfils(pair.cert, order, clock.now())) {
    const client = new KubeClient({ transport: new HttpsTransport(clientConfig(bootstrap).transport), userAgent: options.userAgent });
    try {
      await untilDone(() => orderCertificate(client, store, order, clock, signal), options, signal);
    } finally {
      await client.close();
    }
  }
  const context = bootstrap.contexts?.find((c) => c.name === bootstrap['current-context'])?.context;
  const cluster = bootstrap.clusters?.find((c) => c.name === context?.cluster)?.cluster;
  const written = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'default-cluster', cluster }],
    contexts: [{ name: 'default-context', context: { cluster: 'default-cluster', namespace: context?.namespace ?? 'default', user: 'default-auth' } }],
    'current-context': 'default-context',
    users: [{ name: 'default-auth', user: { 'client-certificate': store.currentPath, 'client-key': store.currentPath } }],
  };
  writeFileAtomic(kubeconfig, stringify(written));
  logger.info('the kubeconfig is written', { kubeconfig, certificate: store.currentPath });
}

/** Why a kubeconfig cannot be used; undefined: it can, as far as can be told without asking the server. */
function unusable(path: string, now: number): string | undefined {
  if (!existsSync(path)) return 'there is none';
  try {
    const { cert } = clientConfig(readKubeconfig({ path })).transport;
    if (cert !== undefined && Date.parse(new X509Certificate(cert).validTo) <= now) return 'its client certificate has expired';
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}

/** The control plane may come up after us, or approve late. */
async function untilDone(work: () => Promise<void>, { clock, logger }: BootstrapOptions, signal: AbortSignal): Promise<void> {
  for (let wait = RETRY_MS; ; wait = Math.min(wait * 2, MAX_RETRY_MS)) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      logger.warn('getting a client certificate failed; will try again', { err: error });
      await clock.sleep(wait, signal);
    }
  }
}

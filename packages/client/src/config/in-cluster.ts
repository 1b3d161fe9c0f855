import { existsSync, readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { systemClock, type Clock } from '@coxswain/sdk';
import { fileToken } from '../transport/token-source.js';
import { KubeconfigError } from './kubeconfig.js';
import type { ClientConfig } from './load-kubeconfig.js';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The configuration of a process in a pod: its service account and the `kubernetes` service. */
export function inClusterConfig(env: NodeJS.ProcessEnv = process.env, clock: Clock = systemClock, folder = ACCOUNT): ClientConfig {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) throw new KubeconfigError('not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined');
  if (!existsSync(`${folder}/token`)) throw new KubeconfigError(`not in a cluster: ${folder}/token does not exist`);
  const namespace = existsSync(`${folder}/namespace`) ? readFileSync(`${folder}/namespace`, 'utf8').trim() : 'default';
  return {
    transport: {
      server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
      ca: readFileSync(`${folder}/ca.crt`),
      token: fileToken(`${folder}/token`, clock),
      clock,
    },
    namespace,
    context: 'in-cluster',
  };
}

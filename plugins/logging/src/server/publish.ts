import type { KubeClient } from '@coxswain/client';
import { isIPv6 } from 'node:net';
import { LOGGING_GROUP, LOGGING_NAMESPACE, LOGGING_SERVICE, LOGGING_VERSION } from './names.js';

export interface Published {
  readonly nodeName: string;
  readonly address: string;
  readonly port: number;
  /** PEM of the authority of our serving certificate. */
  readonly caBundle: string;
}

const PORT_NAME = 'https';
const options = { fieldManager: 'coxswain-logging', force: true };
const labels = { 'app.kubernetes.io/name': LOGGING_SERVICE };

/** Announces the API: a Service without a selector, this node's slice of it, and the APIService that stands for all nodes. */
export async function publish(client: KubeClient, { nodeName, address, port, caBundle }: Published, signal: AbortSignal): Promise<void> {
  await client.api.services(LOGGING_NAMESPACE).apply(
    {
      metadata: { name: LOGGING_SERVICE, namespace: LOGGING_NAMESPACE, labels },
      spec: { ports: [{ name: PORT_NAME, port: 443, targetPort: port, protocol: 'TCP' }] },
    },
    { ...options, signal },
  );
  await client.api.endpointSlices(LOGGING_NAMESPACE).apply(
    {
      metadata: {
        name: sliceName(nodeName),
        namespace: LOGGING_NAMESPACE,
        labels: { ...labels, 'kubernetes.io/service-name': LOGGING_SERVICE, 'endpointslice.kubernetes.io/managed-by': 'coxswain-logging' },
      },
      addressType: isIPv6(address) ? 'IPv6' : 'IPv4',
      endpoints: [{ addresses: [address], nodeName, conditions: { ready: true } }],
      ports: [{ name: PORT_NAME, port, protocol: 'TCP' }],
    },
    { ...options, signal },
  );
  await client.api.apiServices().apply(
    {
      metadata: { name: `${LOGGING_VERSION}.${LOGGING_GROUP}`, labels },
      spec: {
        group: LOGGING_GROUP,
        version: LOGGING_VERSION,
        groupPriorityMinimum: 1000,
        versionPriority: 10,
        service: { namespace: LOGGING_NAMESPACE, name: LOGGING_SERVICE, port: 443 },
        caBundle: Buffer.from(caBundle).toString('base64'),
      },
    },
    { ...options, signal },
  );
}

/** Takes this node out; the rest stays for the others. */
export async function withdraw(client: KubeClient, nodeName: string, signal: AbortSignal): Promise<void> {
  await client.api.endpointSlices(LOGGING_NAMESPACE).delete(sliceName(nodeName), { signal });
}

const sliceName = (nodeName: string) => `${LOGGING_SERVICE}-${nodeName}`;

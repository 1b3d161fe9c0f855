import type { KubeClient } from '@coxswain/client';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { LOGGING_NAMESPACE, LOGGING_SERVICE } from './names.js';
import type { WireEntry } from './wire-entry.js';

export interface Peer {
  readonly node: string;
  readonly address: string;
  readonly port: number;
}

/** The logging add-ons of the other nodes, as the Service's EndpointSlices name them. */
export async function otherPeers(client: KubeClient, ownNode: string, signal: AbortSignal): Promise<Peer[]> {
  const labelSelector = `kubernetes.io/service-name=${LOGGING_SERVICE}`;
  const { items } = await client.api.endpointSlices(LOGGING_NAMESPACE).list({ labelSelector, signal });
  return items.flatMap(({ endpoints, ports }) =>
    (endpoints ?? []).flatMap(({ addresses, nodeName }) => {
      const [address, port] = [addresses?.[0], ports?.[0]?.port];
      return address && port && nodeName && nodeName !== ownNode ? [{ node: nodeName, address, port }] : [];
    }),
  );
}

export interface PeerIdentity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What a peer has of its own node. Ends with the peer's answer or the signal. */
export async function* askPeer(peer: Peer, identity: PeerIdentity, path: string, signal: AbortSignal): AsyncGenerator<WireEntry> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const call = request({
      host: peer.address,
      port: peer.port,
      path,
      signal,
      agent: false,
      servername: `${LOGGING_SERVICE}.${LOGGING_NAMESPACE}.svc`,
      ...identity,
    });
    call.once('error', reject);
    call.once('response', resolve);
    call.end();
  });
  if (response.statusCode !== 200) {
    response.resume();
    throw new Error(`it answered ${response.statusCode}`);
  }
  try {
    for await (const line of createInterface({ input: response })) if (line !== '') yield JSON.parse(line) as WireEntry;
  } finally {
    response.destroy();
  }
}

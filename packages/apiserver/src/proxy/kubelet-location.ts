import type { KubeObject } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { ResourceCache } from '../storage/resource-cache.js';
import type { Backend } from './backend.js';

export interface KubeletClient {
  /** What the API server shows a kubelet. */
  readonly cert?: string;
  readonly key?: string;
  /** What a kubelet's certificate must be signed by; absent: not checked, as upstream's default. */
  readonly ca?: string;
  readonly addressTypes: readonly string[];
}

const DEFAULT_PORT = 10_250;

/** Finds the kubelet of a node from what the node says of itself. */
export class KubeletLocator {
  constructor(
    readonly nodes: ResourceCache,
    readonly client: KubeletClient,
  ) {}

  /** Throws 404 when there is no such node, 503 when it has no address. */
  locate(nodeName: string, path: string): Backend {
    const node = this.nodes.get('', nodeName)?.object;
    if (!node) throw ApiError.notFound({ group: '', resource: 'nodes' }, nodeName);
    return {
      scheme: 'https',
      host: this.#address(node),
      port: (node.status?.daemonEndpoints?.kubeletEndpoint?.Port as number | undefined) ?? DEFAULT_PORT,
      path,
      tls: this.tls,
    };
  }

  get tls(): NonNullable<Backend['tls']> {
    const { cert, key, ca } = this.client;
    return { ...(cert && key ? { cert, key } : {}), ...(ca ? { ca, rejectUnauthorized: true } : { rejectUnauthorized: false }) };
  }

  #address(node: KubeObject): string {
    const addresses = (node.status?.addresses ?? []) as { type: string; address: string }[];
    for (const type of this.client.addressTypes) {
      const found = addresses.find((address) => address.type === type);
      if (found) return found.address;
    }
    throw ApiError.serviceUnavailable(`no preferred addresses found; known addresses: ${JSON.stringify(addresses)}`);
  }
}

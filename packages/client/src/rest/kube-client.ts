import type { KubeObject } from '@coxswain/api';
import { ResourceClient } from './resource-client.js';
import type { ObjectOf, ResourceRef } from './resource-ref.js';
import { Resources } from './resources.js';
import { RestClient, type RestClientOptions, type RestRequest } from './rest-client.js';

type Handles = { readonly [K in keyof typeof Resources]: (namespace?: string) => ResourceClient<ObjectOf<(typeof Resources)[K]>> };

/** The API of a cluster: any resource by reference, the built-in ones by name (`client.api.pods('default').get('web')`). */
export class KubeClient {
  readonly rest: RestClient;
  readonly api: Handles;

  constructor(options: RestClientOptions | RestClient) {
    this.rest = options instanceof RestClient ? options : new RestClient(options);
    const handles = Object.entries(Resources).map(([name, ref]) => [name, (ns?: string) => this.resource<KubeObject>(ref as ResourceRef, ns)]);
    this.api = Object.freeze(Object.fromEntries(handles)) as Handles;
  }

  /** Without a namespace: all namespaces for reads, the object's own for writes. */
  resource<T extends KubeObject>(ref: ResourceRef<T>, namespace?: string): ResourceClient<T> {
    return new ResourceClient<T>(this.rest, ref, namespace);
  }

  /** Anything else: `client.get('/version')`. */
  get<T>(path: string, options: Pick<RestRequest, 'query' | 'signal'> = {}): Promise<T> {
    return this.rest.json<T>({ method: 'GET', path, ...options });
  }

  close(): Promise<void> {
    return this.rest.transport.close();
  }
}

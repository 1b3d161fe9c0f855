import { InvalidStoreRequestError } from '@coxswain/sdk';

export interface Endpoint {
  /** As it was given. */
  readonly url: string;
  /** gRPC's name of it. */
  readonly target: string;
  readonly secure: boolean;
  /** Where to connect, for finding out why gRPC cannot. */
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
}

/** Throws `InvalidStoreRequestError` for what is not an etcd endpoint. */
export function parseEndpoint(url: string): Endpoint {
  if (url.startsWith('unix://')) {
    const path = url.slice('unix://'.length);
    return { url, target: `unix://${path}`, secure: false, address: { path } };
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') || parsed.hostname === '') {
    throw new InvalidStoreRequestError(`etcd endpoint ${JSON.stringify(url)} is not a URL such as https://10.0.0.1:2379`);
  }
  if (parsed.pathname !== '/' || parsed.search !== '' || parsed.username !== '') {
    throw new InvalidStoreRequestError(`etcd endpoint ${JSON.stringify(url)} must be scheme, host and port only`);
  }
  const secure = parsed.protocol === 'https:';
  const port = parsed.port === '' ? (secure ? 443 : 80) : Number(parsed.port);
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  return { url, target: `dns:${parsed.hostname}:${port}`, secure, address: { host, port } };
}

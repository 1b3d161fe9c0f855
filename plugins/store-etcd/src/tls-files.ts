import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InvalidStoreRequestError } from '@coxswain/sdk';
import type { Endpoint } from './parse-endpoint.js';

export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Read and check the files, so that a wrong one is told by name at the start and not as a broken connection later. */
export function readTlsFiles(
  files: { readonly caFile?: string | undefined; readonly certFile?: string | undefined; readonly keyFile?: string | undefined },
  endpoints: readonly Endpoint[],
): TlsMaterial {
  const { caFile, certFile, keyFile } = files;
  if (endpoints.length === 0) throw new InvalidStoreRequestError('no etcd endpoints were given');
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new InvalidStoreRequestError('a client certificate for etcd needs both its certificate file and its key file');
  }
  if ((caFile ?? certFile) !== undefined && !endpoints.some((e) => e.secure)) {
    throw new InvalidStoreRequestError('certificate files for etcd were given, but no endpoint is https');
  }
  const ca = caFile === undefined ? undefined : read(caFile, 'etcd CA');
  if (ca) parse(caFile as string, 'etcd CA', () => new X509Certificate(ca));
  if (certFile === undefined || keyFile === undefined) return { ...(ca ? { ca } : {}) };
  const cert = read(certFile, 'etcd client certificate');
  const key = read(keyFile, 'etcd client key');
  const certificate = parse(certFile, 'etcd client certificate', () => new X509Certificate(cert));
  const privateKey = parse(keyFile, 'etcd client key', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) throw new InvalidStoreRequestError(`${keyFile} is not the key of the certificate in ${certFile}`);
  return { ...(ca ? { ca } : {}), cert, key };
}

function read(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InvalidStoreRequestError(`cannot read the ${what}: ${(error as Error).message}`);
  }
}

function parse<T>(path: string, what: string, make: () => T): T {
  try {
    return make();
  } catch {
    throw new InvalidStoreRequestError(`${path} holds no PEM that could be the ${what}`);
  }
}

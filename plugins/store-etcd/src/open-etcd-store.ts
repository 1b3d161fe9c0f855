import type { Clock, Logger, Random, StateStore } from '@coxswain/sdk';
import { EtcdMembers } from './etcd-members.js';
import { EtcdStore } from './etcd-store.js';
import { parseEndpoint } from './parse-endpoint.js';
import { readTlsFiles } from './tls-files.js';

export interface EtcdStoreOptions {
  /** URLs of members: `https://10.0.0.1:2379`, `http://127.0.0.1:2379`, `unix:///run/etcd.sock`. One is used at a time. */
  readonly endpoints: readonly string[];
  /** PEM bundle that signs the members' certificates. Absent: the system's authorities. */
  readonly caFile?: string | undefined;
  /** Our certificate and its key, PEM; both or neither. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Put before every key, so that several stores can share a cluster. Default none. */
  readonly prefix?: string;
  /** How long a request may take, connecting and failing over included. Default 5000 ms. */
  readonly requestTimeoutMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
}

/**
 * A store on an etcd cluster. Does not connect yet: the cluster may come up later.
 * Throws `InvalidStoreRequestError` for endpoints that are none and for certificate files that are missing, damaged or do not match.
 */
export function openEtcdStore(options: EtcdStoreOptions): StateStore {
  const endpoints = options.endpoints.map(parseEndpoint);
  const tls = readTlsFiles(options, endpoints);
  const members = new EtcdMembers({ ...options, endpoints, tls, requestTimeoutMs: options.requestTimeoutMs ?? 5000 });
  return new EtcdStore(members, { prefix: options.prefix ?? '', random: options.random });
}

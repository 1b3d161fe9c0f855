import { request as httpsRequest } from 'node:https';
import type { KubeObject } from '@coxswain/api';
import { MemoryBackend, RevisionedStore } from '@coxswain/mvcc';
import { createCa, createServiceAccountKeys, issueCertificate } from '@coxswain/pki';
import type { StateStore } from '@coxswain/sdk';
import {
  CompactedError,
  FutureRevisionError,
  InvalidStoreRequestError,
  LeaseNotFoundError,
  silentLogger,
  StoreError,
  StoreUnavailableError,
  systemClock,
  systemRandom,
} from '@coxswain/sdk';
import { ApiServer } from '../api-server.js';
import type { ApiServerOptions } from '../api-server-options.js';
import { parseTokenFile } from '../auth/token-file-authenticator.js';

const TOKENS = 'admin,admin,1,"system:masters"\nbob,bob,2,\nnode,system:node:n1,3,"system:nodes"\n';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  readonly bytes: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every kind
  readonly json: any;
}

export interface CallOptions {
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly type?: string;
}

export interface TestServer extends AsyncDisposable {
  readonly server: ApiServer;
  readonly store: StateStore;
  /** PEM: what its certificate is checked with. */
  readonly ca: string;
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  /** Events of a watch until `enough` says so. */
  watch(path: string, enough: (events: readonly WatchLine[]) => boolean): Promise<readonly WatchLine[]>;
}

export interface WatchLine {
  readonly type: string;
  readonly object: KubeObject;
}

const errors = {
  compacted: (requested: number, compact: number) => new CompactedError(requested, compact),
  futureRevision: (requested: number, current: number) => new FutureRevisionError(requested, current),
  leaseNotFound: (lease: number) => new LeaseNotFoundError(lease),
  leaseExists: (lease: number) => new StoreError('lease-exists', `lease ${lease} already exists`),
  unavailable: (message: string) => new StoreUnavailableError(message),
  invalid: (message: string) => new InvalidStoreRequestError(message),
};

/** A memory store with what an API server needs of it. */
export function memoryStore(): StateStore {
  const store = new RevisionedStore(new MemoryBackend(), { now: () => systemClock.monotonic(), errors });
  return Object.assign(store, {
    currentRevision: () => store.revision,
    status: async () => ({ revision: store.revision, compactRevision: store.compactRevision, sizeBytes: 0, healthy: true }),
  }) as unknown as StateStore;
}

let certificates: Promise<{ cert: string; key: string; ca: string; serviceAccountKey: string }> | undefined;

async function makeCertificates() {
  const now = systemClock.now();
  const ca = await createCa('test', now, 3_600_000);
  const leaf = await issueCertificate(ca, { usage: 'server', subject: { commonName: 'apiserver' }, ipAddresses: ['127.0.0.1'], now, validForMs: 3_600_000 });
  return { cert: leaf.cert, key: leaf.key, ca: ca.cert, serviceAccountKey: createServiceAccountKeys().privateKey };
}

/** A whole server over TLS on a free port. */
export async function startTestServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  certificates ??= makeCertificates();
  const { cert, key, ca, serviceAccountKey } = await certificates;
  const store = options.store ?? memoryStore();
  const server = new ApiServer({
    store,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    host: '127.0.0.1',
    port: 0,
    advertiseAddress: '192.0.2.1',
    tls: { cert, key, clientCA: ca },
    tokens: parseTokenFile(TOKENS),
    anonymous: true,
    serviceAccounts: { issuers: ['https://kubernetes.default.svc'], signingKey: serviceAccountKey, verifyingKeys: [] },
    authorizationModes: ['Node', 'RBAC'],
    kubelet: { addressTypes: ['InternalIP'] },
    serviceRanges: ['10.96.0.0/24'],
    nodePorts: { from: 30_000, to: 30_009 },
    disabledAdmission: [],
    maxRequestsInFlight: 0,
    maxMutatingRequestsInFlight: 0,
    eventTtlSeconds: 3600,
    compactionIntervalMs: 300_000,
    authenticators: [],
    authorizers: [],
    admission: [],
    ...options,
  });
  await server.start(new AbortController().signal);
  const base = { host: '127.0.0.1', port: server.port, ca };
  return {
    server,
    store,
    ca,
    call(method, path, body, { token = 'admin', headers = {}, type = 'application/json' } = {}) {
      const text = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
      return new Promise((resolve, reject) => {
        const all = {
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
          ...(text === undefined ? {} : { 'content-type': type, 'content-length': String(Buffer.byteLength(text)) }),
          ...headers,
        };
        const outgoing = httpsRequest({ ...base, method, path, headers: all }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => {
            const bytes = Buffer.concat(chunks);
            const received = bytes.toString();
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              text: received,
              bytes,
              get json() {
                return JSON.parse(received);
              },
            });
          });
        });
        outgoing.on('error', reject);
        outgoing.end(text);
      });
    },
    watch(path, enough) {
      return new Promise((resolve, reject) => {
        const events: WatchLine[] = [];
        const outgoing = httpsRequest({ ...base, path, headers: { authorization: 'Bearer admin' } }, (answer) => {
          let rest = '';
          answer.setEncoding('utf8');
          answer.on('data', (chunk: string) => {
            const lines = (rest + chunk).split('\n');
            rest = lines.pop() ?? '';
            for (const line of lines) events.push(JSON.parse(line) as WatchLine);
            if (!enough(events)) return;
            resolve(events);
            outgoing.destroy();
          });
          answer.on('end', () => resolve(events));
        });
        outgoing.on('error', reject);
        outgoing.end();
      });
    },
    async [Symbol.asyncDispose]() {
      await server.stop(AbortSignal.abort());
      if (!options.store) await store.close();
    },
  };
}

export const configMap = (name: string, extra: object = {}): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...extra });

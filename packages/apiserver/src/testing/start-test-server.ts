import { request as httpsRequest } from 'node:https';
import type { KubeObject } from '@coxswain/api';
import { KubeClient } from '@coxswain/client';
import type { KeyPairPem } from '@coxswain/pki';
import type { StateStore } from '@coxswain/sdk';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { ApiServer } from '../api-server.js';
import type { ApiServerOptions } from '../api-server-options.js';
import { parseTokenFile } from '../auth/token-file-authenticator.js';
import { MemoryStore } from './memory-store.js';
import { testCertificates } from './test-certificates.js';

/** Bearer tokens: `admin` is a member of system:masters, `bob` of nothing, `node` is the node n1. */
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
  readonly url: string;
  /** PEM: what its certificate is checked with. */
  readonly ca: string;
  /** Its CA, which client certificates are trusted by. */
  readonly authority: KeyPairPem;
  /** In process, as a user who has been authenticated. */
  clientAs(name: string, ...groups: string[]): KubeClient;
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  /** Events of a watch until `enough` says so. */
  watch(path: string, enough: (events: readonly WatchLine[]) => boolean): Promise<readonly WatchLine[]>;
}

export interface WatchLine {
  readonly type: string;
  readonly object: KubeObject;
}

/** A whole server over TLS on a free port of loopback. `options` replace what is usual; a store of theirs is left open in the end. */
export async function startTestServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const { authority, serving, serviceAccountKey } = await testCertificates();
  const ca = authority.cert;
  const store = options.store ?? new MemoryStore(systemClock);
  const server = new ApiServer({
    store,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    host: '127.0.0.1',
    port: 0,
    advertiseAddress: '192.0.2.1',
    tls: { ...serving, clientCA: ca },
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
    url: `https://127.0.0.1:${server.port}`,
    ca,
    authority,
    clientAs: (name, ...groups) => new KubeClient({ transport: server.transport({ name, groups: ['system:authenticated', ...groups] }) }),
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

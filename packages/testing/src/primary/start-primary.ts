import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiServer, type ApiServerOptions, parseTokenFile } from '@coxswain/apiserver';
import { HttpsTransport, KubeClient, staticToken } from '@coxswain/client';
import { createCa, createServiceAccountKeys, issueCertificate, type KeyPairPem, kubeconfigYaml } from '@coxswain/pki';
import { type CustomApiServer, silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { MemoryStore } from '../cluster/memory-store.js';

/** An API server of our own on loopback, in memory, for tests of what talks to one. */
export interface Primary extends AsyncDisposable {
  readonly server: ApiServer;
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  /** Bearer token of a member of system:masters. */
  readonly adminToken: string;
  /** As the administrator. */
  readonly client: KubeClient;
  /** The cluster's CA, to make further certificates with. */
  readonly authority: KeyPairPem;
  /** What the primary shows servers it passes requests on to. */
  readonly frontProxy: KeyPairPem;
  /** A kubeconfig file of a user with a client certificate. */
  kubeconfig(user: string, groups?: readonly string[]): Promise<string>;
  /**
   * Makes a custom API server of loopback known: EndpointSlices may not name loopback addresses, so a Service of type ExternalName
   * stands in for them. Resolves when its APIServices are available.
   */
  register(server: CustomApiServer): Promise<void>;
}

const HOUR = 3_600_000;

/** Starts it; `options` replace what is usual. Dispose of it in the end. */
export async function startPrimary(options: Partial<ApiServerOptions> = {}): Promise<Primary> {
  const now = systemClock.now();
  const [ca, proxyCa] = await Promise.all([createCa('primary', now, HOUR), createCa('front-proxy', now, HOUR)]);
  const serving = await issueCertificate(ca, {
    usage: 'server',
    subject: { commonName: 'apiserver' },
    ipAddresses: ['127.0.0.1'],
    dnsNames: ['localhost'],
    now,
    validForMs: HOUR,
  });
  const clientOf = (authority: KeyPairPem, commonName: string, organizations: readonly string[] = []) =>
    issueCertificate(authority, { usage: 'client', subject: { commonName, organizations }, now, validForMs: HOUR });
  const frontProxy = await clientOf(proxyCa, 'front-proxy-client');
  const store = options.store ?? new MemoryStore(systemClock);
  const server = new ApiServer({
    store,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    host: '127.0.0.1',
    port: 0,
    advertiseAddress: '192.0.2.1',
    tls: { cert: serving.cert, key: serving.key, clientCA: ca.cert },
    frontProxy: {
      ca: proxyCa.cert,
      allowedNames: ['front-proxy-client'],
      userHeaders: ['X-Remote-User'],
      uidHeaders: ['X-Remote-Uid'],
      groupHeaders: ['X-Remote-Group'],
      extraPrefixes: ['X-Remote-Extra-'],
    },
    proxyClient: frontProxy,
    tokens: parseTokenFile('admin,admin,1,"system:masters"\nbob,bob,2,\n'),
    anonymous: true,
    serviceAccounts: { issuers: ['https://kubernetes.default.svc'], signingKey: createServiceAccountKeys().privateKey, verifyingKeys: [] },
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
  const url = `https://127.0.0.1:${server.port}`;
  const client = new KubeClient({ transport: new HttpsTransport({ server: url, ca: ca.cert, token: staticToken('admin') }), userAgent: 'test' });
  const folder = mkdtempSync(join(tmpdir(), 'primary-'));
  return {
    server,
    url,
    ca: ca.cert,
    adminToken: 'admin',
    client,
    authority: ca,
    frontProxy,
    async kubeconfig(user, groups = []) {
      const { cert, key } = await clientOf(ca, user, groups);
      const file = join(folder, `${user.replaceAll(/[^a-z0-9]/g, '-')}.kubeconfig`);
      const entry = { name: 'primary', cluster: { server: url, certificateAuthority: ca.cert }, user: { clientCertificate: cert, clientKey: key } };
      writeFileSync(file, kubeconfigYaml(entry), { mode: 0o600 });
      return file;
    },
    register: (custom) => register(client, custom),
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.stop(AbortSignal.abort());
      if (!options.store) await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function register(client: KubeClient, { name, endpoint, groupVersions }: CustomApiServer): Promise<void> {
  const { hostname, port } = new URL(endpoint.url);
  const options = { fieldManager: 'test', force: true };
  const { services, apiServices } = client.api;
  const external = { metadata: { name }, spec: { type: 'ExternalName', externalName: hostname } };
  await services('default').apply(external, options);
  for (const { group, version, groupPriorityMinimum, versionPriority } of groupVersions) {
    const service = { namespace: 'default', name, port: Number(port) };
    const caBundle = Buffer.from(endpoint.caBundle).toString('base64');
    const wanted = { metadata: { name: `${version}.${group}` }, spec: { group, version, groupPriorityMinimum, versionPriority, service, caBundle } };
    await apiServices().apply(wanted, options);
  }
  for (const { group, version } of groupVersions) {
    for (;;) {
      const conditions = (await apiServices().get(`${version}.${group}`)).status?.conditions ?? [];
      if (conditions.some(({ type, status }) => type === 'Available' && status === 'True')) break;
      await systemClock.sleep(20);
    }
  }
}

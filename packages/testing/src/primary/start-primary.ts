import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiServer, ApiServerOptions } from '@coxswain/apiserver';
import { startTestServer } from '@coxswain/apiserver/testing';
import { HttpsTransport, KubeClient, staticToken } from '@coxswain/client';
import { createCa, issueCertificate, type KeyPairPem, kubeconfigYaml } from '@coxswain/pki';
import { type CustomApiServer, systemClock } from '@coxswain/sdk';

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
  const clientOf = (authority: KeyPairPem, commonName: string, organizations: readonly string[] = []) =>
    issueCertificate(authority, { usage: 'client', subject: { commonName, organizations }, now, validForMs: HOUR });
  const proxyCa = await createCa('front-proxy', now, HOUR);
  const frontProxy = await clientOf(proxyCa, 'front-proxy-client');
  const api = await startTestServer({
    frontProxy: {
      ca: proxyCa.cert,
      allowedNames: ['front-proxy-client'],
      userHeaders: ['X-Remote-User'],
      uidHeaders: ['X-Remote-Uid'],
      groupHeaders: ['X-Remote-Group'],
      extraPrefixes: ['X-Remote-Extra-'],
    },
    proxyClient: frontProxy,
    ...options,
  });
  const { server, url, ca, authority } = api;
  const client = new KubeClient({ transport: new HttpsTransport({ server: url, ca, token: staticToken('admin') }), userAgent: 'test' });
  const folder = mkdtempSync(join(tmpdir(), 'primary-'));
  return {
    server,
    url,
    ca,
    adminToken: 'admin',
    client,
    authority,
    frontProxy,
    async kubeconfig(user, groups = []) {
      const { cert, key } = await clientOf(authority, user, groups);
      const file = join(folder, `${user.replaceAll(/[^a-z0-9]/g, '-')}.kubeconfig`);
      const entry = { name: 'primary', cluster: { server: url, certificateAuthority: ca }, user: { clientCertificate: cert, clientKey: key } };
      writeFileSync(file, kubeconfigYaml(entry), { mode: 0o600 });
      return file;
    },
    register: (custom) => register(client, custom),
    async [Symbol.asyncDispose]() {
      await client.close();
      await api[Symbol.asyncDispose]();
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

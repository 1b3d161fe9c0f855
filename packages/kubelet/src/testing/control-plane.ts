import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '@coxswain/apiserver/testing';
import type { KubeClient } from '@coxswain/client';
import { ControllerManager } from '@coxswain/controller-manager';
import type { KeyPairPem } from '@coxswain/pki';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { stringify } from 'yaml';

export const TOKEN = 'abcdef.0123456789abcdef';
const GROUP = 'system:bootstrappers:kubeadm:default-node-token';
const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' as const };

/** A real API server and the certificate controllers, with what `kubeadm init` sets up for nodes that join. */
export class ControlPlane {
  private constructor(
    readonly folder: string,
    readonly ca: KeyPairPem,
    readonly client: KubeClient,
    readonly bootstrapKubeconfig: string,
    private readonly server: TestServer,
    private readonly manager: ControllerManager,
  ) {}

  static async start(): Promise<ControlPlane> {
    const folder = await mkdtemp(join(tmpdir(), 'kubelet-certificates-'));
    const server = await startTestServer({ bootstrapTokens: true, anonymous: false });
    const { authority: ca, clientAs } = server;
    const manager = new ControllerManager({
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      client: clientAs('system:kube-controller-manager'),
      clientFor: (account) => clientAs(`system:serviceaccount:kube-system:${account}`, 'system:serviceaccounts', 'system:serviceaccounts:kube-system'),
      config: {
        rootCa: ca.cert,
        clusterSigning: ca,
        controllers: ['certificatesigningrequest-approving-controller', 'certificatesigningrequest-signing-controller'],
      },
    });
    await manager.start(AbortSignal.timeout(20_000));
    const client = clientAs('admin', 'system:masters');
    const kubeconfig = join(folder, 'bootstrap-kubelet.conf');
    await writeFile(
      kubeconfig,
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'c',
        clusters: [{ name: 'k', cluster: { server: server.url, 'certificate-authority-data': Buffer.from(ca.cert).toString('base64') } }],
        contexts: [{ name: 'c', context: { cluster: 'k', user: 'tls-bootstrap-token-user' } }],
        users: [{ name: 'tls-bootstrap-token-user', user: { token: TOKEN } }],
      }),
    );
    const plane = new ControlPlane(folder, ca, client, kubeconfig, server, manager);
    await plane.#token();
    await plane.bind('kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', GROUP);
    return plane;
  }

  async #token(): Promise<void> {
    const [id, secret] = TOKEN.split('.') as [string, string];
    const namespaces = this.client.api.namespaces();
    await namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } }).catch(() => {});
    const data = { 'token-id': id, 'token-secret': secret, 'usage-bootstrap-authentication': 'true', 'auth-extra-groups': GROUP };
    await this.client.api.secrets('kube-system').create({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'bootstrap.kubernetes.io/token',
      metadata: { name: `bootstrap-token-${id}` },
      data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
    });
  }

  /** kubeadm's bindings for approval without a person. */
  async approveNodes(): Promise<void> {
    const role = 'system:certificates.k8s.io:certificatesigningrequests:';
    await this.bind('kubeadm:node-autoapprove-bootstrap', `${role}nodeclient`, GROUP);
    await this.bind('kubeadm:node-autoapprove-certificate-rotation', `${role}selfnodeclient`, 'system:nodes');
  }

  async bind(name: string, role: string, group: string): Promise<void> {
    await this.client.api.clusterRoleBindings().create({
      ...rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
    });
  }

  async requests() {
    return (await this.client.api.certificateSigningRequests().list()).items;
  }

  /** What `kubectl certificate approve` or `deny` does. */
  async decide(name: string, type: 'Approved' | 'Denied'): Promise<void> {
    const csr = await this.client.api.certificateSigningRequests().get(name);
    const condition = { type, status: 'True', reason: 'Test', message: 'by hand' };
    await this.client.api
      .certificateSigningRequests()
      .subresource(name, 'approval')
      .update({ ...csr, status: { ...csr.status, conditions: [condition] } });
  }

  async stop(): Promise<void> {
    await this.manager.stop(AbortSignal.timeout(5000));
    await this.server[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}

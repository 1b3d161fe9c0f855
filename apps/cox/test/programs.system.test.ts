import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ProgramCluster, TOKEN } from './programs/program-cluster.js';

// Slow: a cluster of programs, with a real etcd, joins a node by a bootstrap token and runs pods.
const cluster = new ProgramCluster();
const file = (...parts: string[]) => cluster.file(...parts);
const pki = (name: string) => file('pki', name);

beforeAll(() => cluster.prepare());
afterAll(() => cluster[Symbol.asyncDispose]());

test('kube-apiserver starts with the arguments of kubeadm', async () => {
  const { ports } = cluster;
  const url = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  cluster.start(
    'etcd',
    'etcd',
    ...['--data-dir', file('etcd'), '--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', peer],
    ...['--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
  );
  cluster.cox(
    'apiserver',
    'apiserver',
    '--advertise-address=127.0.0.1',
    '--bind-address=127.0.0.1',
    '--allow-privileged=true',
    '--authorization-mode=Node,RBAC',
    `--client-ca-file=${pki('ca.crt')}`,
    '--enable-admission-plugins=NodeRestriction',
    '--enable-bootstrap-token-auth=true',
    `--etcd-servers=${url}`,
    `--kubelet-client-certificate=${pki('apiserver-kubelet-client.crt')}`,
    `--kubelet-client-key=${pki('apiserver-kubelet-client.key')}`,
    '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
    `--proxy-client-cert-file=${pki('front-proxy-client.crt')}`,
    `--proxy-client-key-file=${pki('front-proxy-client.key')}`,
    '--requestheader-allowed-names=front-proxy-client',
    `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    `--secure-port=${ports.api}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${pki('sa.pub')}`,
    `--service-account-signing-key-file=${pki('sa.key')}`,
    `--service-cluster-ip-range=${cluster.serviceCidr}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
  );
  await cluster.until('apiserver', 'the API server is ready', async () => expect(await cluster.get(ports.api, '/readyz')).toBe('200 ok'));
});

test('kube-controller-manager and kube-scheduler do, too, and show themselves to whom the API server lets', async () => {
  const { ports } = cluster;
  cluster.cox(
    'manager',
    'controller-manager',
    '--allocate-node-cidrs=true',
    `--authentication-kubeconfig=${file('controller-manager.conf')}`,
    `--authorization-kubeconfig=${file('controller-manager.conf')}`,
    '--bind-address=127.0.0.1',
    `--client-ca-file=${pki('ca.crt')}`,
    `--cluster-cidr=${cluster.podCidr}`,
    '--cluster-name=kubernetes',
    `--cluster-signing-cert-file=${pki('ca.crt')}`,
    `--cluster-signing-key-file=${pki('ca.key')}`,
    '--controllers=*,bootstrapsigner,tokencleaner',
    `--kubeconfig=${file('controller-manager.conf')}`,
    '--leader-elect=true',
    `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
    `--root-ca-file=${pki('ca.crt')}`,
    `--service-account-private-key-file=${pki('sa.key')}`,
    `--service-cluster-ip-range=${cluster.serviceCidr}`,
    '--use-service-account-credentials=true',
    `--secure-port=${ports.manager}`,
  );
  cluster.cox(
    'scheduler',
    'scheduler',
    `--authentication-kubeconfig=${file('scheduler.conf')}`,
    `--authorization-kubeconfig=${file('scheduler.conf')}`,
    '--bind-address=127.0.0.1',
    `--kubeconfig=${file('scheduler.conf')}`,
    '--leader-elect=true',
    `--secure-port=${ports.scheduler}`,
  );
  for (const name of ['manager', 'scheduler'] as const)
    await cluster.until(name, `${name} is well`, async () => expect(await cluster.get(ports[name], '/healthz')).toBe('200 ok'));
  expect(await cluster.get(ports.scheduler, '/metrics')).toContain('403 {"kind":"Status"');
  await cluster.kubectl(['create', 'serviceaccount', 'monitor']);
  await cluster.kubectl(['create', 'clusterrolebinding', 'monitor', '--clusterrole=system:monitoring', '--serviceaccount=default:monitor']);
  const token = (await cluster.kubectl(['create', 'token', 'monitor'])).trim();
  for (const name of ['manager', 'scheduler'] as const) expect(await cluster.get(ports[name], '/metrics', token)).toMatch(/^200 # HELP /);
  const leases = await cluster.kubectl(['get', 'lease', '-n', 'kube-system', '-o', 'name']);
  expect(leases).toContain('lease.coordination.k8s.io/kube-controller-manager\nlease.coordination.k8s.io/kube-scheduler');
});

test('a kubelet joins by a bootstrap token, with the configuration of kubeadm', async () => {
  const { ports } = cluster;
  const [id, secret] = TOKEN.split('.') as [string, string];
  const group = { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:bootstrappers:kubeadm:default-node-token' };
  const binding = (name: string, role: string, subject: object) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [subject],
  });
  await cluster.apply(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      stringData: { 'token-id': id, 'token-secret': secret, 'usage-bootstrap-authentication': 'true', 'auth-extra-groups': group.name },
    },
    binding('kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', group),
    binding('kubeadm:node-autoapprove-bootstrap', 'system:certificates.k8s.io:certificatesigningrequests:nodeclient', group),
    binding('kubeadm:node-autoapprove-certificate-rotation', 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', {
      ...group,
      name: 'system:nodes',
    }),
  );
  cluster.cox('crio', 'cri-o', '--listen', `unix://${file('cri.sock')}`, '--root', file('crio'), '--state', file('crio-run'), '--cni-conf-dir', file('cni'));
  await cluster.loadGuestbook();
  writeFileSync(
    file('kubelet.yaml'),
    stringify({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      authentication: { anonymous: { enabled: false }, webhook: { cacheTTL: '0s', enabled: true }, x509: { clientCAFile: pki('ca.crt') } },
      authorization: { mode: 'Webhook', webhook: { cacheAuthorizedTTL: '0s', cacheUnauthorizedTTL: '0s' } },
      cgroupRoot: cluster.cgroup,
      clusterDNS: ['127.0.0.53'],
      clusterDomain: 'cluster.local',
      failSwapOn: false,
      healthzBindAddress: '127.0.0.1',
      healthzPort: ports.healthz,
      podLogsDir: file('logs'),
      port: ports.kubelet,
      rotateCertificates: true,
      staticPodPath: file('manifests'),
    }),
  );
  cluster.cox(
    'kubelet',
    'kubelet',
    `--bootstrap-kubeconfig=${file('bootstrap-kubelet.conf')}`,
    `--kubeconfig=${file('kubelet.conf')}`,
    `--config=${file('kubelet.yaml')}`,
    `--cert-dir=${file('kubelet-pki')}`,
    `--container-runtime-endpoint=unix://${file('cri.sock')}`,
    `--hostname-override=${cluster.node}`,
    '--node-ip=127.0.0.1',
    `--root-dir=${file('kubelet')}`,
  );
  await cluster.until('kubelet', 'the node is ready', async () => {
    const node = await cluster.kubectl(['get', 'node', cluster.node, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.spec.podCIDR}']);
    expect(node).toBe(`True ${cluster.podCidr.replace('/16', '/24')}`);
  });
});

test('kube-proxy carries a Service to pods that the scheduler placed', async () => {
  const { ports } = cluster;
  const config = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { acceptContentTypes: '', burst: 0, contentType: '', kubeconfig: file('kube-proxy.conf'), qps: 0 },
    clusterCIDR: cluster.podCidr,
    hostnameOverride: cluster.node,
    healthzBindAddress: `127.0.0.1:${ports.proxyHealthz}`,
    metricsBindAddress: `127.0.0.1:${ports.proxyMetrics}`,
    mode: 'nftables',
  };
  writeFileSync(file('kube-proxy.yaml'), stringify(config));
  cluster.cox('proxy', 'kube-proxy', `--config=${file('kube-proxy.yaml')}`);
  const labels = { app: 'web' };
  const container = {
    name: 'web',
    image: 'coxswain.local/guestbook:1',
    command: ['sh', '-c', 'mkdir -p /tmp/www && hostname > /tmp/www/index.html && exec busybox httpd -f -p 8080 -h /tmp/www'],
    ports: [{ containerPort: 8080 }],
  };
  await cluster.apply(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } },
      },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] } },
  );
  await cluster.until('kubelet', 'both pods are available', async () =>
    expect(await cluster.kubectl(['get', 'deployment', 'web', '-o', 'jsonpath={.status.availableReplicas}'])).toBe('2'),
  );
  const address = await cluster.kubectl(['get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}']);
  const answer = async () => (await fetch(`http://${address}/`, { signal: AbortSignal.timeout(3000), headers: { connection: 'close' } })).text();
  await cluster.until('proxy', 'the Service answers', async () => expect(await answer()).toMatch(/^web-/));
  expect(await (await fetch(`http://127.0.0.1:${ports.proxyMetrics}/proxyMode`)).text()).toBe('nftables');
  expect(await cluster.kubectl(['exec', 'deploy/web', '--', 'cat', '/tmp/www/index.html'])).toMatch(/^web-/);
  expect((await fetch(`http://127.0.0.1:${ports.proxyMetrics}/metrics`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${ports.proxyHealthz}/healthz`)).status).toBe(200);
});

test('every program ends when it is told to', async () => {
  await cluster.kubectl(['delete', 'deployment', 'web', '--wait=true']);
  await cluster.until('kubelet', 'no pod is left', async () => expect(await cluster.kubectl(['get', 'pods', '-o', 'name'])).toBe(''));
  for (const name of ['proxy', 'kubelet', 'crio', 'scheduler', 'manager', 'apiserver']) expect([name, await cluster.end(name)]).toEqual([name, 0]);
});

import { expect, it } from 'vitest';
import { parseApiServerFlags } from '../options.js';
import type { ApiServerConfig } from '../options.js';
import { kubeadmFlags } from '../testing/kubeadm-flags.js';
import { apiserverCommand } from './apiserver-command.js';
import { flagsOf } from './flags-of.js';

const parse = (args: readonly string[]): ApiServerConfig => {
  const command = apiserverCommand()
    .configureOutput({ writeErr: () => {} })
    .action(() => {});
  return parseApiServerFlags(flagsOf(command.parse([...args], { from: 'user' }).opts()));
};

/** controller-runtime's test environment; some of its users give a flag twice. */
const envtest = [
  '--advertise-address=127.0.0.1',
  '--allow-privileged=true',
  '--authorization-mode=RBAC',
  '--bind-address=127.0.0.1',
  '--cert-dir=/tmp/k8s_test_framework_1',
  '--client-ca-file=/tmp/k8s_test_framework_1/client-cert-auth-ca.crt',
  '--disable-admission-plugins=ServiceAccount',
  '--etcd-servers=http://127.0.0.1:2379',
  '--secure-port=35555',
  '--service-account-issuer=https://127.0.0.1:35555/',
  '--service-account-key-file=/tmp/k8s_test_framework_1/sa-signer.crt',
  '--service-account-signing-key-file',
  '/tmp/k8s_test_framework_1/sa-signer.key',
  '--service-account-signing-key-file=/tmp/k8s_test_framework_1/sa-signer.key',
  '--service-cluster-ip-range=10.0.0.0/24',
  '--allow-privileged',
];

/** hack/local-up-cluster.sh: flags it does not need become empty arguments, or flags with an empty value. */
const localUp = [
  '--authorization-mode=Node,RBAC',
  '--authorization-webhook-config-file=',
  '--authentication-token-webhook-config-file=',
  '',
  '--cloud-provider=',
  '--cloud-config=',
  '',
  '',
  '--v=3',
  '--vmodule=',
  '--audit-policy-file=/tmp/up/kube-audit-policy-file',
  '--audit-log-path=/tmp/up/kube-apiserver-audit.log',
  '--cert-dir=/var/run/kubernetes',
  '--egress-selector-config-file=/tmp/up/kube_egress_selector_configuration.yaml',
  '--client-ca-file=/var/run/kubernetes/client-ca.crt',
  '--kubelet-client-certificate=/var/run/kubernetes/client-kube-apiserver.crt',
  '--kubelet-client-key=/var/run/kubernetes/client-kube-apiserver.key',
  '--service-account-key-file=/tmp/up/kube-serviceaccount.key',
  '--service-account-lookup=true',
  '--service-account-issuer=https://kubernetes.default.svc',
  '--service-account-jwks-uri=https://kubernetes.default.svc/openid/v1/jwks',
  '--service-account-signing-key-file=/tmp/up/kube-serviceaccount.key',
  '--enable-admission-plugins=NamespaceLifecycle,LimitRanger,ServiceAccount,DefaultStorageClass,DefaultTolerationSeconds,Priority,MutatingAdmissionWebhook,ValidatingAdmissionWebhook,ResourceQuota,NodeRestriction',
  '--disable-admission-plugins=',
  '--admission-control-config-file=',
  '--bind-address=0.0.0.0',
  '--secure-port=6443',
  '--tls-cert-file=/var/run/kubernetes/serving-kube-apiserver.crt',
  '--tls-private-key-file=/var/run/kubernetes/serving-kube-apiserver.key',
  '--storage-backend=etcd3',
  '--storage-media-type=application/vnd.kubernetes.protobuf',
  '--etcd-servers=http://127.0.0.1:2379',
  '--service-cluster-ip-range=10.0.0.0/24',
  '--feature-gates=AllAlpha=false',
  '--emulated-version=',
  '--external-hostname=localhost',
  '--requestheader-username-headers=X-Remote-User',
  '--requestheader-group-headers=X-Remote-Group',
  '--requestheader-extra-headers-prefix=X-Remote-Extra-',
  '--requestheader-client-ca-file=/var/run/kubernetes/request-header-ca.crt',
  '--requestheader-allowed-names=system:auth-proxy',
  '--proxy-client-cert-file=/var/run/kubernetes/client-auth-proxy.crt',
  '--proxy-client-key-file=/var/run/kubernetes/client-auth-proxy.key',
  '--cors-allowed-origins=//127\\.0\\.0\\.1(:[0-9]+)?$,//localhost(:[0-9]+)?$',
];

/** kubespray's manifest with what its hardening guide adds. */
const hardened = [
  ...kubeadmFlags('/etc/kubernetes/ssl', { advertiseAddress: '10.0.0.1', securePort: 6443, etcd: 'https://10.0.0.1:2379,https://10.0.0.2:2379' }),
  '--anonymous-auth=False',
  '--apiserver-count=3',
  '--bind-address=::',
  '--default-not-ready-toleration-seconds=30',
  '--default-unreachable-toleration-seconds=60',
  '--enable-admission-plugins=EventRateLimit,AlwaysPullImages,ServiceAccount,NamespaceLifecycle,LimitRanger,ResourceQuota,MutatingAdmissionWebhook,ValidatingAdmissionWebhook,PodNodeSelector,PodSecurity',
  '--admission-control-config-file=/etc/kubernetes/admission-controls/admission-controls.yaml',
  '--enable-aggregator-routing=true',
  '--encryption-provider-config=/etc/kubernetes/ssl/secrets_encryption.yaml',
  '--endpoint-reconciler-type=lease',
  '--etcd-compaction-interval=5m0s',
  '--event-ttl=1h0m0s',
  '--profiling=False',
  '--request-timeout=300s',
  '--runtime-config=',
  '--service-account-lookup=true',
  '--service-node-port-range=30000-32767',
  '--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  '--tls-min-version=VersionTLS12',
  '--audit-log-maxage=30',
  '--audit-log-maxbackup=1',
  '--audit-log-maxsize=100',
  '--audit-log-path=/var/log/audit/kube-apiserver-audit.log',
  '--audit-policy-file=/etc/kubernetes/audit-policy/apiserver-audit-policy.yaml',
  '--feature-gates=SidecarContainers=true',
];

it('kubeadm', () => {
  expect(parse(kubeadmFlags('/pki', { advertiseAddress: '192.0.2.1', securePort: 6443, etcd: 'https://127.0.0.1:2379' }))).toMatchObject({
    advertiseAddress: '192.0.2.1',
    tlsFiles: { cert: '/pki/apiserver.crt', key: '/pki/apiserver.key' },
    enableAdmissionPlugins: ['NodeRestriction'],
    allowPrivileged: true,
    auth: { bootstrapTokens: true, modes: ['Node', 'RBAC'] },
    etcdPrefix: '/registry',
    kubeletPreferredAddressTypes: ['InternalIP', 'ExternalIP', 'Hostname'],
  });
});

it('envtest', () => {
  expect(parse(envtest)).toMatchObject({
    tlsFiles: undefined,
    certDir: '/tmp/k8s_test_framework_1',
    disableAdmissionPlugins: ['ServiceAccount'],
    serviceAccountSigningKeyFile: '/tmp/k8s_test_framework_1/sa-signer.key',
    allowPrivileged: true,
  });
});

it('hack/local-up-cluster.sh', () => {
  expect(parse(localUp)).toMatchObject({
    externalHostname: 'localhost',
    admissionControlConfigFile: undefined,
    disableAdmissionPlugins: [],
    auditLog: { path: '/tmp/up/kube-apiserver-audit.log' },
    corsAllowedOrigins: [/\/\/127\.0\.0\.1(:[0-9]+)?$/, /\/\/localhost(:[0-9]+)?$/],
  });
});

it('a hardened cluster', () => {
  expect(parse(hardened)).toMatchObject({
    anonymousAuth: false,
    bindAddress: '::',
    enableAdmissionPlugins: expect.arrayContaining(['NodeRestriction', 'EventRateLimit', 'PodNodeSelector']),
    tolerationSeconds: { notReady: 30, unreachable: 60 },
    requestTimeoutMs: 300_000,
    tlsMinVersion: 'TLSv1.2',
    tlsCiphers: expect.stringMatching(/:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256$/),
    auditLog: { maxAgeMs: 30 * 24 * 3_600_000, maxBackups: 1, maxSizeBytes: 100 * 1024 * 1024 },
  });
});

it('the last of a flag counts, lists gather, and certificates by name keep their commas', () => {
  const config = parse([
    '--external-hostname=a',
    '--external-hostname=b',
    '--service-account-issuer=https://a',
    '--service-account-issuer=https://b',
    '--tls-sni-cert-key=a.crt,a.key:*.a.com,a.com',
    '--tls-sni-cert-key=b.crt,b.key',
    '--runtime-config=apps/v1=false',
    '--runtime-config=api/beta,api/all=true',
    '--service-node-port-range=30000+9',
    '--http2-max-streams-per-connection=5',
    '--goaway-chance=.01',
  ]);
  expect(config).toMatchObject({
    externalHostname: 'b',
    serviceAccountIssuers: ['https://a', 'https://b'],
    sniCertificates: [
      { certFile: 'a.crt', keyFile: 'a.key', names: ['*.a.com', 'a.com'] },
      { certFile: 'b.crt', keyFile: 'b.key', names: [] },
    ],
    nodePorts: { from: 30_000, to: 30_009 },
    http2MaxStreams: 5,
    goawayChance: 0.01,
  });
  expect([...config.runtimeConfig]).toEqual([
    ['apps/v1', false],
    ['api/beta', true],
    ['api/all', true],
  ]);
});

it.each([
  // What upstream refuses.
  ['--nope', "unknown option '--nope'"],
  ['stray', 'too many arguments: coxswain-apiserver takes none, got "stray"'],
  ['--tls-cert-file=a.crt', '--tls-private-key-file: is required with --tls-cert-file'],
  ['--tls-min-version=TLS12', '"TLS12" is not one of VersionTLS10'],
  ['--tls-cipher-suites=RC5', "Cipher suite RC5 not supported or doesn't exist"],
  ['--tls-sni-cert-key=a.crt', 'is not cert,key'],
  ['--enable-admission-plugins=Nope', 'plugin "Nope" is unknown'],
  ['--disable-admission-plugins=Nope', 'plugin "Nope" is unknown'],
  ['--enable-admission-plugins=Priority --disable-admission-plugins=Priority', 'in enable-admission-plugins and disable-admission-plugins overlapped'],
  ['--cors-allowed-origins=example.com', 'does not pin to the start and end of the host'],
  ['--cors-allowed-origins=^(', 'Invalid regular expression'],
  ['--goaway-chance=0.5', 'is not between 0 and 0.02'],
  ['--strict-transport-security-directives=max-age=1,nope', '"nope" is none of max-age=SECONDS'],
  ['--service-account-max-token-expiration=10m', 'must be between 1 hour and 2^32 seconds'],
  ['--min-request-timeout=-1', 'is not a number'],
  ['--shutdown-delay-duration=soon', 'is not a duration'],
  ['--runtime-config=apps/v1=maybe', 'invalid value apps/v1=maybe'],
  ['--allow-privileged=perhaps', 'is not true or false'],
  ['--etcd-prefix=/', 'must name at least one folder'],
  ['--audit-log-maxsize=big', 'is not a number'],
  ['--feature-gates=Nope=true', 'unrecognized feature gate: Nope'],
  // What upstream has and is not here.
  ['--authorization-mode=ABAC', '"ABAC" is not part of this API server'],
  ['--enable-admission-plugins=ImagePolicyWebhook', 'plugin "ImagePolicyWebhook" is not part of this API server'],
  ['--endpoint-reconciler-type=master-count', 'master-count is not here'],
  ['--feature-gates=CBORServingAndStorage=true', 'here it is false'],
  ['--feature-gates=AllBeta=false', 'beta gates each have a value of their own'],
  ['--watch-cache=false', 'reads come from the cache (takes true)'],
  ['--watch-cache-sizes=pods#0', 'cannot be turned off'],
  ['--storage-media-type=application/yaml', 'objects are stored as JSON'],
  ['--audit-log-format=legacy', 'events are logged as JSON'],
  ['--audit-webhook-mode=blocking', 'no request waits for the webhook'],
  ['--audit-log-mode=blocking-strict', 'blocking-strict is not here'],
  ['--audit-webhook-batch-throttle-qps=0', 'must be more than 0'],
  ['--emulated-version=1.35', 'this is Kubernetes 1.36'],
  ['--peer-ca-file=ca.crt', 'requests are not passed to API servers of other versions'],
])('%s is refused', (line, message) => expect(() => parse(line.split(' '))).toThrow(message));

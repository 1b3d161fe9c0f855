import { isIP } from 'node:net';
import { authFlags, parseAuthFlags } from './auth/config/auth-flags.js';
import type { AuthFlags } from './auth/config/auth-flags.js';
import { IpRange } from './services/ip-range.js';
import { parseDuration } from './util/parse-duration.js';

/** Flags as given, by upstream's names without the dashes; repeated flags are joined by commas. */
export type ApiServerFlags = Readonly<Record<string, string | undefined>>;

/** Flags after checking: paths still have to be read. */
export interface ApiServerConfig {
  readonly bindAddress: string;
  readonly securePort: number;
  readonly advertiseAddress: string;
  readonly tlsCertFile: string;
  readonly tlsPrivateKeyFile: string;
  readonly clientCAFile: string | undefined;
  readonly tokenAuthFile: string | undefined;
  readonly anonymousAuth: boolean;
  readonly serviceAccountIssuers: readonly string[];
  readonly serviceAccountSigningKeyFile: string | undefined;
  readonly serviceAccountKeyFiles: readonly string[];
  readonly apiAudiences: readonly string[] | undefined;
  readonly serviceAccountJwksUri: string | undefined;
  readonly apiRoutesConfig: string | undefined;
  readonly auth: AuthFlags;
  /** `--anonymous-auth` was given. */
  readonly anonymousGiven: boolean;
  readonly kubeletClientCertificate: string | undefined;
  readonly kubeletClientKey: string | undefined;
  readonly proxyClientCertFile: string | undefined;
  readonly proxyClientKeyFile: string | undefined;
  readonly kubeletCertificateAuthority: string | undefined;
  readonly kubeletPreferredAddressTypes: readonly string[];
  readonly serviceClusterIPRanges: readonly string[];
  readonly nodePorts: { readonly from: number; readonly to: number };
  readonly requestHeader: RequestHeaderConfig | undefined;
  readonly disableAdmissionPlugins: readonly string[];
  readonly maxRequestsInFlight: number;
  readonly maxMutatingRequestsInFlight: number;
  readonly eventTtlSeconds: number;
  readonly compactionIntervalMs: number;
  readonly requestTimeoutMs: number;
  readonly priorityAndFairness: boolean;
  readonly auditPolicyFile: string | undefined;
  /** '-': standard output. */
  readonly auditLogPath: string | undefined;
  readonly encryptionProviderConfig: string | undefined;
  /** For whoever opens the store. */
  readonly etcd: {
    readonly servers: readonly string[];
    readonly caFile: string | undefined;
    readonly certFile: string | undefined;
    readonly keyFile: string | undefined;
  };
}

export interface RequestHeaderConfig {
  readonly clientCAFile: string;
  readonly allowedNames: readonly string[];
  readonly userHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraPrefixes: readonly string[];
}

/** All problems at once. */
export class ApiServerFlagError extends Error {
  override readonly name = 'ApiServerFlagError';

  constructor(readonly problems: readonly string[]) {
    super(`the API server's flags are not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/** Flags with their meaning, for `--help`. */
export const apiServerFlags: Readonly<Record<string, string>> = {
  ...authFlags,
  'advertise-address': 'Address pods and other nodes reach the API server at',
  'anonymous-auth': 'Serve requests without credentials as system:anonymous (default true)',
  'api-audiences': 'Audiences of tokens for the API (default: the issuers)',
  'api-routes-config': 'ApiRoutesConfiguration file: which requests other servers answer',
  'audit-log-path': 'File the audit log is appended to, one JSON event a line (-: standard output)',
  'audit-policy-file': 'Which requests are recorded in the audit log, and how much of them',
  'bind-address': 'Address to listen on (default 0.0.0.0)',
  'client-ca-file': 'PEM bundle that signs client certificates',
  'disable-admission-plugins': 'Built-in admission plugins to leave out',
  'enable-priority-and-fairness': 'Share out requests among flows by priority (default true)',
  'encryption-provider-config': 'How resources are encrypted in the store',
  'etcd-cafile': 'PEM bundle that signs the certificates of etcd',
  'etcd-certfile': 'Client certificate for etcd',
  'etcd-compaction-interval': 'How often old revisions are forgotten (default 5m0s)',
  'etcd-keyfile': 'Key of the client certificate for etcd',
  'etcd-servers': 'URLs of etcd members',
  'event-ttl': 'How long events are kept (default 1h0m0s)',
  'kubelet-certificate-authority': "PEM bundle that signs kubelets' certificates",
  'kubelet-client-certificate': 'Client certificate shown to kubelets',
  'kubelet-client-key': 'Key of the client certificate shown to kubelets',
  'kubelet-preferred-address-types': 'Which addresses of nodes to use, in order (default InternalIP,ExternalIP,Hostname,InternalDNS,ExternalDNS)',
  'max-mutating-requests-inflight': 'Limit of changing requests at a time (default 200; 0: none)',
  'max-requests-inflight': 'Limit of reading requests at a time (default 400; 0: none)',
  'proxy-client-cert-file': 'Client certificate shown to the servers of aggregated groups',
  'proxy-client-key-file': 'Key of the client certificate shown to the servers of aggregated groups',
  'request-timeout': 'After which a request is given up (default 1m0s)',
  'requestheader-allowed-names': 'Common names of authenticating proxies (default: any the CA signed)',
  'requestheader-client-ca-file': "PEM bundle that signs authenticating proxies' certificates",
  'requestheader-extra-headers-prefix': 'Prefixes of headers with extra information of the user',
  'requestheader-group-headers': "Headers with the user's groups",
  'requestheader-uid-headers': "Headers with the user's uid",
  'requestheader-username-headers': "Headers with the user's name",
  'secure-port': 'Port to listen on (default 6443)',
  'service-account-issuer': 'Issuer of service account tokens; the first is put into new ones',
  'service-account-jwks-uri': 'Where others find the keys of service account tokens',
  'service-account-key-file': 'PEM keys service account tokens are verified with',
  'service-account-signing-key-file': 'PEM key service account tokens are signed with',
  'service-cluster-ip-range': 'CIDRs of service addresses, one per family (default 10.0.0.0/24)',
  'service-node-port-range': 'Node ports (default 30000-32767)',
  'tls-cert-file': 'Serving certificate',
  'tls-private-key-file': 'Key of the serving certificate',
  'token-auth-file': 'Static tokens: token,user,uid,"group1,group2"',
};

/** Check flags; throws `ApiServerFlagError` with everything that is wrong. */
export function parseApiServerFlags(flags: ApiServerFlags): ApiServerConfig {
  const problems: string[] = [];
  for (const name of Object.keys(flags)) if (!(name in apiServerFlags)) problems.push(`--${name}: unknown flag`);
  const list = (name: string, fallback: string[] = []) =>
    flags[name]
      ?.split(',')
      .map((v) => v.trim())
      .filter((v) => v !== '') ?? fallback;
  const number = (name: string, fallback: number, min: number, max: number) => {
    const text = flags[name];
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) problems.push(`--${name}: ${JSON.stringify(text)} is not a number from ${min} to ${max}`);
    return value;
  };
  const required = (name: string) => {
    const value = flags[name] ?? '';
    if (value === '') problems.push(`--${name}: is required`);
    return value;
  };
  const duration = (name: string, fallback: number) => {
    const text = flags[name];
    if (text === undefined) return fallback;
    const ms = parseDuration(text);
    if (ms === undefined) problems.push(`--${name}: ${JSON.stringify(text)} is not a duration such as 5m or 1h30m`);
    return ms ?? fallback;
  };
  const address = (name: string, fallback: string) => {
    const value = flags[name] ?? fallback;
    if (isIP(value) === 0) problems.push(`--${name}: ${JSON.stringify(value)} is not an IP address`);
    return value;
  };
  const bindAddress = address('bind-address', '0.0.0.0');
  const advertiseAddress = address('advertise-address', isIP(bindAddress) !== 0 && !/^(0\.0\.0\.0|::)$/.test(bindAddress) ? bindAddress : '127.0.0.1');
  const auth = parseAuthFlags(flags, problems);
  const ranges = list('service-cluster-ip-range', ['10.0.0.0/24']);
  if (ranges.length > 2) problems.push('--service-cluster-ip-range: at most one range of each family');
  for (const range of ranges) {
    try {
      new IpRange(range);
    } catch (error) {
      problems.push(`--service-cluster-ip-range: ${(error as Error).message}`);
    }
  }
  const ports = /^(\d+)-(\d+)$/.exec(flags['service-node-port-range'] ?? '30000-32767');
  const [from, to] = [Number(ports?.[1]), Number(ports?.[2])];
  if (!ports || from < 1 || to > 65_535 || from > to)
    problems.push(`--service-node-port-range: ${JSON.stringify(flags['service-node-port-range'])} is not a range of ports such as 30000-32767`);
  const anonymous = flags['anonymous-auth'] ?? 'true';
  if (anonymous !== 'true' && anonymous !== 'false') problems.push(`--anonymous-auth: ${JSON.stringify(anonymous)} is not true or false`);
  const fair = flags['enable-priority-and-fairness'] ?? 'true';
  if (fair !== 'true' && fair !== 'false') problems.push(`--enable-priority-and-fairness: ${JSON.stringify(fair)} is not true or false`);
  if (flags['audit-log-path'] && !flags['audit-policy-file']) problems.push('--audit-log-path: needs --audit-policy-file');
  const proxyCA = flags['requestheader-client-ca-file'];
  const config: ApiServerConfig = {
    bindAddress,
    securePort: number('secure-port', 6443, 0, 65_535),
    advertiseAddress,
    tlsCertFile: required('tls-cert-file'),
    tlsPrivateKeyFile: required('tls-private-key-file'),
    clientCAFile: flags['client-ca-file'],
    tokenAuthFile: flags['token-auth-file'],
    anonymousAuth: anonymous === 'true',
    serviceAccountIssuers: list('service-account-issuer', ['https://kubernetes.default.svc.cluster.local']),
    serviceAccountSigningKeyFile: flags['service-account-signing-key-file'],
    serviceAccountKeyFiles: list('service-account-key-file'),
    apiAudiences: flags['api-audiences'] === undefined ? undefined : list('api-audiences'),
    serviceAccountJwksUri: flags['service-account-jwks-uri'],
    apiRoutesConfig: flags['api-routes-config'],
    auth,
    anonymousGiven: flags['anonymous-auth'] !== undefined,
    kubeletClientCertificate: flags['kubelet-client-certificate'],
    kubeletClientKey: flags['kubelet-client-key'],
    proxyClientCertFile: flags['proxy-client-cert-file'],
    proxyClientKeyFile: flags['proxy-client-key-file'],
    kubeletCertificateAuthority: flags['kubelet-certificate-authority'],
    kubeletPreferredAddressTypes: list('kubelet-preferred-address-types', ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS']),
    serviceClusterIPRanges: ranges,
    nodePorts: { from, to },
    requestHeader: proxyCA
      ? {
          clientCAFile: proxyCA,
          allowedNames: list('requestheader-allowed-names'),
          userHeaders: list('requestheader-username-headers', ['X-Remote-User']),
          uidHeaders: list('requestheader-uid-headers'),
          groupHeaders: list('requestheader-group-headers', ['X-Remote-Group']),
          extraPrefixes: list('requestheader-extra-headers-prefix', ['X-Remote-Extra-']),
        }
      : undefined,
    disableAdmissionPlugins: list('disable-admission-plugins'),
    maxRequestsInFlight: number('max-requests-inflight', 400, 0, 1_000_000),
    maxMutatingRequestsInFlight: number('max-mutating-requests-inflight', 200, 0, 1_000_000),
    eventTtlSeconds: Math.max(1, Math.round(duration('event-ttl', 3_600_000) / 1000)),
    compactionIntervalMs: duration('etcd-compaction-interval', 300_000),
    requestTimeoutMs: duration('request-timeout', 60_000),
    priorityAndFairness: fair === 'true',
    auditPolicyFile: flags['audit-policy-file'],
    auditLogPath: flags['audit-log-path'],
    encryptionProviderConfig: flags['encryption-provider-config'],
    etcd: { servers: list('etcd-servers'), caFile: flags['etcd-cafile'], certFile: flags['etcd-certfile'], keyFile: flags['etcd-keyfile'] },
  };
  if (problems.length > 0) throw new ApiServerFlagError(problems);
  return config;
}
